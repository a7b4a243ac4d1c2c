#include "volume/space_wait.h"

#include <algorithm>

namespace tcmufs::volume {

namespace {

constexpr u64 second_ns = 1'000'000'000;
constexpr u64 first_pause_ns = 50'000'000;
constexpr u64 longest_pause_ns = second_ns;
constexpr u64 full_for_ns = 200'000'000;  // without a refusal, before there is said to be room
constexpr u64 same_pause_ns = second_ns;  // one that begins so soon after another is still that
// After a pause that was too long nothing waits any more, until there has been no refusal for so long: else
// each of a thousand writes would wait as long as the first.
constexpr u64 quiet_ns = 10 * second_ns;

}  // namespace

bool SpaceWait::refused(u64 now_ns) {
  const u64 limit_ns = limit_s_ * second_ns;
  const bool soon = refused_ns_ != 0 && now_ns - refused_ns_ < quiet_ns;
  refused_ns_ = now_ns;
  given_up_ = given_up_ && soon;
  if (limit_ns == 0 && !paused_) return false;
  if (given_up_) return false;
  if (!paused_) {
    if (ended_ns_ == 0 || now_ns - ended_ns_ >= same_pause_ns) {
      since_ns_ = now_ns;
      pause_ns_ = first_pause_ns;
    }
    paused_ = true;
    change(Change::paused);
  } else if (!open_) {
    return true;  // of the same try
  }
  if (now_ns - since_ns_ >= limit_ns) {
    given_up_ = true;
    end(Change::given_up);
    return false;
  }
  open_ = false;
  next_ns_ = now_ns + pause_ns_;
  pause_ns_ = std::min(2 * pause_ns_, longest_pause_ns);
  return true;
}

void SpaceWait::look(u64 now_ns) {
  if (!paused_ || now_ns < next_ns_) return;
  if (!open_) {
    open_ = true;
    next_ns_ = now_ns + full_for_ns;
    return;
  }
  ended_ns_ = now_ns;
  end(Change::goes_on);
}

void SpaceWait::stop() {
  if (paused_) end(Change::goes_on);
  given_up_ = false;
  ended_ns_ = 0;
}

void SpaceWait::end(Change change) {
  paused_ = false;
  open_ = true;
  this->change(change);
}

void SpaceWait::change(Change change) {
  if (listener_) listener_(change);
}

}  // namespace tcmufs::volume
