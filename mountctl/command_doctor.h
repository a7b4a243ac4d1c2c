#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "mountctl/command_mount.h"

namespace tcmufs::mountctl {

/// A line "OK|WARN|FIX TOPIC: sentence".
struct Finding {
  std::string level;
  std::string topic;
  std::string sentence;
};

/// Lines of another form are findings without a level and a topic.
std::vector<Finding> parse_findings(const std::string& text);

struct DoctorOptions {
  bool json = false;  // an array of objects
  bool colour = false;
};

/// Prints findings. Throws Refusal (failed) if one is FIX.
void show_findings(const std::vector<Finding>& findings, const DoctorOptions& options, std::ostream& out);

/// What .ctl/doctor of the mount says; for an empty `mount`, and for one whose daemon is dead, what the
/// daemon says that it is run for (`tcmufs --doctor [STORE]`); `daemon` finds that program.
void examine(const std::string& mount, const std::string& store, const DoctorOptions& options,
             std::ostream& out, const std::function<std::string()>& daemon = own_daemon);

}  // namespace tcmufs::mountctl
