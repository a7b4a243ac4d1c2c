#pragma once

#include <atomic>
#include <functional>

#include "sys/integers.h"

namespace tcmufs::volume {

/// When writes for which the store has no room are held, tried again, and failed. Without a clock, a ring or
/// a thread of its own: the thread that serves the ring says what happens, and what time it is.
///
/// A write that is held is answered BUSY some milliseconds later, and comes again by itself: the ring is
/// answered in order, so that one that stayed in it would hold up every read behind it, and the kernel would
/// begin to abort it after 30 s. It goes on coming for 180 s (six tries of 30 s, as sd has it).
class SpaceWait {
 public:
  enum class Change : u8 { paused, goes_on, given_up };
  using Listener = std::function<void(Change)>;

  static constexpr u32 longest_s = 150;             // the rest of the 180 s is for a last try
  static constexpr u64 busy_after_ns = 20'000'000;  // how long a write is kept before it is answered BUSY

  /// While no disk is served. `listener` is called by the serving thread, and must wait for nothing.
  void tell(Listener listener) { listener_ = std::move(listener); }
  /// How long writes are held; 0: they fail at once. Any thread, also while writes are held.
  void set_limit(u32 seconds) noexcept { limit_s_ = seconds; }

  /// Writes are held, or only just not any more.
  bool paused() const noexcept { return paused_; }
  /// They are not even tried now.
  bool closed() const noexcept { return paused_ && !open_; }

  /// A write has found no room. Whether it is to be held; else it fails.
  bool refused(u64 now_ns);
  /// To be called from time to time while it is paused: opens the way for another try, or ends the pause.
  void look(u64 now_ns);
  /// The disk is served no longer.
  void stop();

 private:
  void change(Change change);
  void end(Change change);

  Listener listener_;
  std::atomic<u32> limit_s_ = 0;
  bool paused_ = false;
  bool open_ = true;  // writes are tried
  bool given_up_ = false;
  u64 since_ns_ = 0;    // when the pause began
  u64 pause_ns_ = 0;    // between tries
  u64 next_ns_ = 0;     // open: when the pause ends if nothing is refused; closed: when the next try is
  u64 ended_ns_ = 0;    // when the last pause did
  u64 refused_ns_ = 0;  // when a write was refused last
};

}  // namespace tcmufs::volume
