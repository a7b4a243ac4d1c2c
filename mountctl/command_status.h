#pragma once

#include <ostream>
#include <string>

namespace tcmufs::mountctl {

struct StatusOptions {
  bool json = false;
  bool colour = false;
};

/// The mount: its store, its daemon, its volumes, who uses them and what went wrong last.
void show_mount(const std::string& mount, const StatusOptions& options, std::ostream& out);

/// One volume, as its status file has it; a directory: the table of its volumes (JSON: an array).
void show_volume(const std::string& mount, const std::string& name, bool json, std::ostream& out);

}  // namespace tcmufs::mountctl
