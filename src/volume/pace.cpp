#include "volume/pace.h"

#include <algorithm>

namespace tcmufs::volume {

namespace {

constexpr u64 millisecond = 1'000'000;
constexpr u64 settling_ns = 20 * millisecond;  // what the scheduler owes from before has to be paid first
constexpr u64 trial_ns = 10 * millisecond;
constexpr u64 trial_limit_ns = 100 * millisecond;
constexpr u64 trial_commands = 128;
constexpr u64 check_ns = 100 * millisecond;  // in between, how often the rate is looked at
constexpr u64 shortest_hold_ns = 1'000 * millisecond;
constexpr u64 longest_hold_ns = 8'000 * millisecond;

constexpr double worth_trying = 0.5e-6;  // 500 commands a second
constexpr double worth_changing = 1.02;
constexpr double worth_polling = 1.1;  // it takes a processor
constexpr double much_changed = 2;

constexpr u64 longest_patience_ns = 500'000;

}  // namespace

void Pace::worked(u32 commands, u64 now_ns) noexcept {
  if (window_start_ns_ == 0) return begin_trials(now_ns);
  if (now_ns < window_start_ns_) return;
  commands_ += commands;
  const u64 elapsed = now_ns - window_start_ns_;
  if (elapsed < (trying_ ? trial_ns : check_ns)) return;
  if (trying_ && commands_ < trial_commands && elapsed < trial_limit_ns) return;

  const double rate = static_cast<double>(commands_) / static_cast<double>(elapsed);
  if (rate < worth_trying) {
    hold_ns_ = 0;
    return begin_trials(now_ns);
  }
  if (trying_) return end_trial(rate, now_ns);
  begin_window(now_ns);
  const double expected = rates_[static_cast<std::size_t>(manner_)];
  if (now_ns >= hold_until_ns_ || rate > expected * much_changed || rate * much_changed < expected) {
    begin_trials(now_ns);
  }
}

void Pace::begin_window(u64 start_ns) noexcept {
  window_start_ns_ = start_ns;
  commands_ = 0;
}

void Pace::begin_trials(u64 now_ns) noexcept {
  trying_ = true;
  manner_ = Manner::prompt;
  begin_window(now_ns + settling_ns);
}

void Pace::end_trial(double rate, u64 now_ns) noexcept {
  const auto tried = static_cast<std::size_t>(manner_);
  rates_[tried] = rate;
  if (tried + 1 < manners_) {
    manner_ = static_cast<Manner>(tried + 1);
    return begin_window(now_ns + settling_ns);
  }
  // What gives others less goes before what gives them more only if it pays.
  std::size_t best = 0;
  for (std::size_t i = 1; i < manners_; ++i) {
    const bool polls = static_cast<Manner>(i) == Manner::polling;
    if (rates_[i] > rates_[best] * (polls ? worth_polling : worth_changing)) best = i;
  }
  manner_ = static_cast<Manner>(best);
  trying_ = false;
  hold_ns_ =
      manner_ == winner_ ? std::clamp(2 * hold_ns_, shortest_hold_ns, longest_hold_ns) : shortest_hold_ns;
  winner_ = manner_;
  hold_until_ns_ = now_ns + hold_ns_;
  begin_window(now_ns + settling_ns);
}

void Pace::waited(u64 gap_ns) noexcept {
  gap_ns_ = (7 * gap_ns_ + std::min(gap_ns, 8 * longest_patience_ns)) / 8;
  patience_ns_ = gap_ns_ > longest_patience_ns ? 0 : std::min(4 * gap_ns_ + 1000, longest_patience_ns);
}

}  // namespace tcmufs::volume
