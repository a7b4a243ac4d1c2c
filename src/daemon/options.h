#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tcmufs::daemon {

struct Options {
  std::string store;
  std::string mount_point;
  std::vector<std::string> mount_options;                     // of -o, one each: "allow_other"
  std::vector<std::pair<std::string, std::string>> settings;  // of -o: "block_size", "4096"
  bool foreground = false;
  bool replace = false;                     // a daemon that serves the store already
  bool cleanup = false;                     // only remove what dead daemons left
  std::vector<std::string> cleanup_stores;  // of those: uuids or directories; none: all
  bool dry_run = false;
  bool doctor = false;  // only look; the mount point is empty, and so may the store be
};

/// Reads the command line. For --help, --version and mistakes it prints and ends the process (status 0 or 2).
Options parse_command_line(int argc, char** argv);

}  // namespace tcmufs::daemon
