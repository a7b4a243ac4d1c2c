#include "volume/pace.h"

#include <algorithm>

namespace tcmufs::volume {

namespace {

constexpr u64 millisecond = 1'000'000;
constexpr u64 settling_ns = 2 * millisecond;
constexpr u64 debt_ns =
    20 * millisecond;  // what the scheduler owes after a change of niceness has to be paid first
constexpr u64 trial_ns = 10 * millisecond;
constexpr u64 trial_limit_ns = 100 * millisecond;
constexpr u64 trial_commands = 128;
constexpr double hopeless = 0.7;             // of the best: such a trial is not gone on with
constexpr u64 check_ns = 100 * millisecond;  // in between, how often the rate is looked at
constexpr u64 shortest_hold_ns = 1'000 * millisecond;
constexpr u64 longest_hold_ns = 8'000 * millisecond;

constexpr double worth_trying = 0.5e-6;  // 500 commands a second
constexpr double worth_changing = 1.02;
constexpr double worth_polling = 1.1;  // it takes a processor
constexpr double much_changed = 2;

}  // namespace

void Pace::worked(u32 commands, u64 now_ns) noexcept {
  if (window_start_ns_ == 0) return begin_trials(now_ns);
  if (now_ns < window_start_ns_) return;
  commands_ += commands;
  const u64 elapsed = now_ns - window_start_ns_;
  if (elapsed < (trying_ ? trial_ns : check_ns)) return;

  const double rate = static_cast<double>(commands_) / static_cast<double>(elapsed);
  const bool enough =
      commands_ >= trial_commands || elapsed >= trial_limit_ns || rate < hopeless * best_rate_;
  if (trying_ && !enough) return;
  if (rate < worth_trying) {
    hold_ns_ = 0;
    winner_ = Manner::prompt;
    return begin_trials(now_ns);
  }
  if (trying_) return end_trial(rate, now_ns);
  begin_window(now_ns);
  const double expected = rate_of(manner_);
  if (now_ns >= hold_until_ns_ || rate > expected * much_changed || rate * much_changed < expected) {
    begin_trials(now_ns);
  }
}

void Pace::begin_window(u64 start_ns) noexcept {
  window_start_ns_ = start_ns;
  commands_ = 0;
}

void Pace::be(Manner manner, u64 now_ns) noexcept {
  const bool niceness_changes = (manner == Manner::courteous) != (manner_ == Manner::courteous);
  manner_ = manner;
  begin_window(now_ns + (niceness_changes ? debt_ns : settling_ns));
}

void Pace::begin_trials(u64 now_ns) noexcept {
  trying_ = true;
  rates_ = {};
  best_rate_ = 0;
  be(winner_, now_ns);
}

void Pace::end_trial(double rate, u64 now_ns) noexcept {
  rate_of(manner_) = rate;
  best_rate_ = std::max(best_rate_, rate);
  for (const Manner next : {Manner::prompt, Manner::polling, Manner::courteous}) {
    if (rate_of(next) == 0 && (next != Manner::polling || may_poll_)) return be(next, now_ns);
  }
  settle(now_ns);
}

void Pace::settle(u64 now_ns) noexcept {
  // What gives others less goes before what gives them more only if it pays.
  Manner best = Manner::prompt;
  if (rate_of(Manner::courteous) > rate_of(best) * worth_changing) best = Manner::courteous;
  if (rate_of(Manner::polling) > rate_of(best) * worth_polling) best = Manner::polling;
  hold_ns_ = best == winner_ ? std::clamp(2 * hold_ns_, shortest_hold_ns, longest_hold_ns) : shortest_hold_ns;
  winner_ = best;
  hold_until_ns_ = now_ns + hold_ns_;
  trying_ = false;
  be(best, now_ns);
}

}  // namespace tcmufs::volume
