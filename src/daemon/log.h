#pragma once

#include <string>

namespace tcmufs::daemon {

/// Where the daemon's log goes: standard error in the foreground, syslog in the background. Before that it
/// goes nowhere.
void start_log(bool foreground);

void log_warning(const std::string& sentence);
void log_info(const std::string& sentence);

}  // namespace tcmufs::daemon
