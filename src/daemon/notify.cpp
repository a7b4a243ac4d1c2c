#include "daemon/notify.h"

#include <systemd/sd-daemon.h>

#include <algorithm>

namespace tcmufs::daemon {

namespace {

/// A manager that does not listen is no reason not to serve.
void notify(const std::string& words, std::string status) {
  std::ranges::replace(status, '\n', ' ');  // each line would be a word of its own
  static_cast<void>(::sd_notify(0, (words + "STATUS=" + status).c_str()));
}

}  // namespace

void notify_status(const std::string& status) {
  notify("", status);
}
void notify_ready(const std::string& status) {
  notify("READY=1\n", status);
}
void notify_stopping(const std::string& status) {
  notify("STOPPING=1\n", status);
}

}  // namespace tcmufs::daemon
