#pragma once

#include <string>

namespace tcmufs::daemon {

/// What a service manager is told that has started this process as a service of Type=notify; nothing happens
/// without one. `status` is a line for people ("systemctl status").
void notify_status(const std::string& status);
/// The mount can be used and every volume has been tried.
void notify_ready(const std::string& status);
void notify_stopping(const std::string& status);

}  // namespace tcmufs::daemon
