#include "lio/ring_resets.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "sys/error.h"

namespace tcmufs::lio {

namespace {

constexpr auto pause_between = std::chrono::milliseconds(50);

void reset_until(const std::stop_token& stop, ConfigTree& tree, const std::string& file) {
  std::mutex mutex;
  std::condition_variable_any waiting;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    try {
      tree.write(file, "2");
    } catch (const Failure&) {
      // A device that was never enabled, or is gone: nothing waits for it.
    }
    waiting.wait_for(lock, stop, pause_between, [&stop] { return stop.stop_requested(); });
  }
}

}  // namespace

RingResets::RingResets(ConfigTree& tree, const std::string& backstore)
    : thread_([&tree, file = backstore + "/action/reset_ring"](const std::stop_token& stop) {
        reset_until(stop, tree, file);
      }) {}

}  // namespace tcmufs::lio
