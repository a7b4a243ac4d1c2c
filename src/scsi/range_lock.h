#pragma once

#include <condition_variable>
#include <mutex>

#include "scsi/geometry.h"

namespace tcmufs::scsi {

/// Locks ranges of the medium, in the order of the calls. Shared holders may overlap; an exclusive one
/// overlaps none. May be used by any number of threads; a thread holds one at a time.
class RangeLock {
 public:
  enum class Mode : u8 { shared, exclusive };

  /// Holds a range from construction, which waits for it, to destruction.
  class Guard {
   public:
    Guard(RangeLock& lock, ByteRange range, Mode mode);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    friend class RangeLock;
    bool conflicts_with(const Guard& other) const noexcept;

    RangeLock& lock_;
    const ByteRange range_;
    const Mode mode_;
    Guard* before_ = nullptr;  // both guarded by lock_.mutex_
    Guard* after_ = nullptr;
  };

 private:
  bool first_in_line(const Guard& guard) const noexcept;

  std::mutex mutex_;
  std::condition_variable released_;
  Guard* last_ = nullptr;  // guarded by mutex_: the newest holder or waiter
  unsigned waiting_ = 0;   // guarded by mutex_
};

}  // namespace tcmufs::scsi
