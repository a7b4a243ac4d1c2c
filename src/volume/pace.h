#pragma once

#include <array>

#include "sys/integers.h"

namespace tcmufs::volume {

/// How a server waits for commands.
enum class Manner : u8 {
  prompt,     // runs as soon as there is one
  courteous,  // lets others run first, who may be about to send more: several commands then share a wake-up
              // and a kick
  polling,    // looks at the ring a little longer before it sleeps
};
inline constexpr std::size_t manner_count = 3;

/// Chooses the manner by trying: what pays depends on depth, processors, scheduler and what else is running,
/// and changes with them. While there is much to do, each manner is used for some milliseconds, that of
/// before first, and the best is kept for a while, longer each time it wins again; when the rate changes much
/// all are tried anew. With little to do it is prompt.
///
/// Times are nanoseconds of a monotonic clock. Used by one thread.
class Pace {
 public:
  /// `may_poll`: there is more than one processor, and the other may be spent.
  explicit Pace(bool may_poll) noexcept : may_poll_(may_poll) {}

  /// `commands` were served in a pass that ended at `now`.
  void worked(u32 commands, u64 now_ns) noexcept;

  Manner manner() const noexcept { return manner_; }

 private:
  void begin_window(u64 start_ns) noexcept;
  void begin_trials(u64 now_ns) noexcept;
  void end_trial(double rate, u64 now_ns) noexcept;
  void settle(u64 now_ns) noexcept;
  void be(Manner manner, u64 now_ns) noexcept;
  double& rate_of(Manner manner) noexcept { return rates_[static_cast<std::size_t>(manner)]; }

  const bool may_poll_;
  Manner manner_ = Manner::prompt;
  bool trying_ = true;
  u64 window_start_ns_ = 0;  // may lie ahead
  u64 commands_ = 0;
  std::array<double, manner_count> rates_{};  // commands per nanosecond, of the last trials; 0: not tried yet
  double best_rate_ = 0;
  Manner winner_ = Manner::prompt;
  u64 hold_ns_ = 0;
  u64 hold_until_ns_ = 0;
};

}  // namespace tcmufs::volume
