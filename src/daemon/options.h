#pragma once

#include <string>
#include <vector>

namespace tcmufs::daemon {

struct Options {
  std::string store;
  std::string mount_point;
  std::vector<std::string> mount_options;  // of -o, one each: "allow_other"
  bool foreground = false;
};

/// Reads the command line. For --help, --version and mistakes it prints and ends the process (status 0 or 2).
Options parse_command_line(int argc, char** argv);

}  // namespace tcmufs::daemon
