#include "daemon/use_watch.h"

#include <poll.h>

#include <array>
#include <utility>

#include "sys/text_file.h"

namespace tcmufs::daemon {

namespace {

constexpr int stacking_again_ms = 1000;
constexpr int look_again_rounds = 60;

}  // namespace

UseWatch::UseWatch(std::function<void()> look, std::function<std::string()> stacking)
    : look_(std::move(look)),
      stacking_(std::move(stacking)),
      mounts_(open_file("/proc/self/mountinfo", O_RDONLY)),
      stop_(make_event()) {
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
  std::string seen;
  bool look = true;
  bool again = false;
  for (int round = 0;; ++round) {
    // Before the look: what comes during it is seen the next time.
    std::string stacked = stacking_();
    const bool changed = look || stacked != seen;
    if (changed || again || round == look_again_rounds) {
      look_();
      round = 0;
    }
    again = changed;  // a use that ends can outlive the event
    seen = std::move(stacked);
    look = ::poll(watched.data(), watched.size(), stacking_again_ms) > 0;
    if (watched[0].revents != 0) return;
  }
}

}  // namespace tcmufs::daemon
