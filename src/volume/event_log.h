#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "sys/event_ring.h"

namespace tcmufs::volume {

/// What happens to the volumes of a mount: .ctl/events, and what of it went wrong once more: .ctl/error_log.
/// All members may be called from any thread, and none waits for anybody.
class EventLog {
 public:
  /// `path` of the volume, "" for the mount itself; the words are those of tcmufs(5). `topic` is the
  /// volume's, or nullptr.
  void record(const std::shared_ptr<EventRing::Topic>& topic, const std::string& path,
              const std::string& word, const std::string& detail = {}) noexcept;
  /// The last refusals and failures, "TIME PATH SENTENCE\n" each, oldest first.
  std::string errors() const;

  EventRing& ring() noexcept { return ring_; }

 private:
  EventRing ring_;
  mutable std::mutex mutex_;        // before the ring's: lines are in the order of their times
  std::deque<std::string> errors_;  // guarded by mutex_
};

}  // namespace tcmufs::volume
