#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace tcmufs {

/// A point on the steady clock by which something must have happened.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  static Deadline after(Clock::duration time) { return Deadline(Clock::now() + time); }

  bool passed() const { return Clock::now() >= end_; }
  Clock::time_point point() const { return end_; }
  bool operator<(const Deadline& other) const { return end_ < other.end_; }
  Clock::duration left() const { return std::max(end_ - Clock::now(), Clock::duration::zero()); }

 private:
  explicit Deadline(Clock::time_point end) : end_(end) {}
  Clock::time_point end_;
};

/// Asks `ready` again and again, after 1 ms at first and 50 ms at most, until it is true (true) or the
/// deadline has passed (false).
template <typename Ready>
bool poll_until(const Deadline& deadline, Ready ready) {
  auto pause = std::chrono::milliseconds(1);
  while (!ready()) {
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }
  return true;
}

}  // namespace tcmufs
