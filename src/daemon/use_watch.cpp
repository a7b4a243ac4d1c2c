#include "daemon/use_watch.h"

#include <poll.h>

#include <array>

#include "sys/text_file.h"

namespace tcmufs::daemon {

namespace {

constexpr int look_again_ms = 1000;

}  // namespace

UseWatch::UseWatch(std::function<void()> look)
    : look_(std::move(look)), mounts_(open_file("/proc/self/mountinfo", O_RDONLY)), stop_(make_event()) {
  if (path_exists("/proc/swaps")) swaps_ = open_file("/proc/swaps", O_RDONLY);
  thread_ = std::thread([this] { run(); });
}

UseWatch::~UseWatch() {
  raise_event(stop_.number());
  thread_.join();
}

void UseWatch::run() {
  std::array<pollfd, 3> watched = {pollfd{stop_.number(), POLLIN, 0}, pollfd{mounts_.number(), POLLPRI, 0},
                                   pollfd{swaps_.number(), POLLPRI, 0}};
  for (;;) {
    look_();
    ::poll(watched.data(), watched.size(), look_again_ms);
    if (watched[0].revents != 0) return;
  }
}

}  // namespace tcmufs::daemon
