#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "sys/deadline.h"

namespace tcmufs::volume {

/// Runs what may take long, or for ever (configfs, block devices), in threads of its own, so that whoever
/// asked for it can stop waiting. All members may be called from any thread.
class Workers {
 public:
  Workers();

  /// Runs `work` and waits for it, `limit` at most: its exception is thrown on; ETIMEDOUT when the limit has
  /// passed, and the work goes on. `what` begins the sentence: "attaching 'db0'".
  void run(const std::string& what, Deadline::Clock::duration limit, std::function<void()> work);
  /// Runs `work`, which must not throw, and does not wait.
  void start(std::function<void()> work);

  /// Waits until nothing runs any more; false if something still does at the deadline.
  bool wait_idle(const Deadline& deadline);

 private:
  struct Count {
    std::mutex mutex;
    std::condition_variable changed;
    int running = 0;  // guarded by mutex
  };
  std::shared_ptr<Count> count_;
};

}  // namespace tcmufs::volume
