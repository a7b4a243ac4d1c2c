#include "scsi/range_lock.h"

namespace tcmufs::scsi {

bool RangeLock::Guard::conflicts_with(const Guard& other) const noexcept {
  if (mode_ == Mode::shared && other.mode_ == Mode::shared) return false;
  return range_.offset_bytes() < other.range_.end_bytes() && other.range_.offset_bytes() < range_.end_bytes();
}

bool RangeLock::first_in_line(const Guard& guard) const noexcept {
  for (const Guard* earlier = guard.before_; earlier != nullptr; earlier = earlier->before_) {
    if (guard.conflicts_with(*earlier)) return false;
  }
  return true;
}

RangeLock::Guard::Guard(RangeLock& lock, ByteRange range, Mode mode)
    : lock_(lock), range_(range), mode_(mode) {
  std::unique_lock held(lock_.mutex_);
  before_ = lock_.last_;
  if (before_ != nullptr) before_->after_ = this;
  lock_.last_ = this;
  while (!lock_.first_in_line(*this)) {
    ++lock_.waiting_;
    lock_.released_.wait(held);
    --lock_.waiting_;
  }
}

RangeLock::Guard::~Guard() {
  const std::lock_guard held(lock_.mutex_);
  if (before_ != nullptr) before_->after_ = after_;
  if (after_ != nullptr) after_->before_ = before_;
  if (lock_.last_ == this) lock_.last_ = before_;
  if (lock_.waiting_ > 0) lock_.released_.notify_all();
}

}  // namespace tcmufs::scsi
