#include "volume/pace.h"

#include <gtest/gtest.h>

#include <functional>
#include <utility>

namespace tcmufs::volume {
namespace {

constexpr u64 second = 1'000'000'000;

/// A machine on which each manner has a rate of its own, in commands per second.
class Machine {
 public:
  explicit Machine(bool several_processors) : pace_(several_processors) {}

  /// Lets it work for that long; returns the share of the time that was spent in `manner`.
  double share_of(Manner manner, u64 duration_ns) {
    u64 spent = 0;
    for (const u64 end = now_ + duration_ns; now_ < end;) {
      const Manner used = pace_.manner();
      if (used != used_) changed_at_ = now_;
      if (used != used_ || now_ - changed_at_ >= inertia_ns)
        felt_ = std::exchange(used_, used) == used ? used : felt_;
      const u64 step = 8 * second / rate(felt_);
      now_ += step;
      if (used == manner) spent += step;
      pace_.worked(8, now_);
    }
    return static_cast<double>(spent) / static_cast<double>(duration_ns);
  }

  std::function<u64(Manner)> rate;
  u64 inertia_ns = 0;  // how long a change of manner takes to be felt

 private:
  Pace pace_;
  Manner used_ = Manner::prompt;
  Manner felt_ = Manner::prompt;
  u64 changed_at_ = 0;
  u64 now_ = second;
};

TEST(Pace, SettlesOnTheMannerThatPays) {
  Machine machine(true);
  for (const Manner best : {Manner::prompt, Manner::courteous, Manner::polling}) {
    machine.rate = [best](Manner manner) { return manner == best ? 60'000U : 25'000U; };
    machine.share_of(best, second);
    EXPECT_GT(machine.share_of(best, 10 * second), 0.9) << static_cast<int>(best);
  }
}

TEST(Pace, WaitsUntilAChangeIsFeltBeforeItMeasures) {
  Machine machine(false);
  machine.inertia_ns = second / 66;
  machine.rate = [](Manner manner) { return manner == Manner::courteous ? 60'000U : 25'000U; };
  machine.share_of(Manner::courteous, second);
  EXPECT_GT(machine.share_of(Manner::courteous, 10 * second), 0.9);
}

TEST(Pace, IsPromptWhereNothingElsePays) {
  Machine machine(true);
  machine.rate = [](Manner manner) { return manner == Manner::prompt ? 30'000U : 30'200U; };
  machine.share_of(Manner::prompt, second);
  EXPECT_GT(machine.share_of(Manner::prompt, 10 * second), 0.9);
}

TEST(Pace, PollsOnlyIfThatPaysWell) {
  Machine machine(true);
  machine.rate = [](Manner manner) { return manner == Manner::polling ? 32'000U : 30'000U; };
  machine.share_of(Manner::prompt, second);
  EXPECT_GT(machine.share_of(Manner::prompt, 10 * second), 0.9);
}

TEST(Pace, DoesNotPollOnASingleProcessor) {
  Machine machine(false);
  machine.rate = [](Manner manner) { return manner == Manner::polling ? 90'000U : 30'000U; };
  EXPECT_EQ(machine.share_of(Manner::polling, 5 * second), 0);
}

TEST(Pace, IsPromptWhenThereIsLittleToDo) {
  Machine machine(true);
  machine.rate = [](Manner manner) { return manner == Manner::courteous ? 60'000U : 25'000U; };
  machine.share_of(Manner::courteous, second);
  machine.rate = [](Manner) { return 400U; };
  machine.share_of(Manner::prompt, second);
  EXPECT_EQ(machine.share_of(Manner::prompt, 5 * second), 1);
}

// As when another program begins to use the processor.
TEST(Pace, TriesAnewWhenTheRateFalls) {
  Machine machine(false);
  machine.rate = [](Manner manner) { return manner == Manner::courteous ? 60'000U : 25'000U; };
  machine.share_of(Manner::courteous, 30 * second);
  machine.rate = [](Manner manner) { return manner == Manner::courteous ? 3'000U : 20'000U; };
  machine.share_of(Manner::prompt, second / 2);
  EXPECT_GT(machine.share_of(Manner::prompt, second), 0.9);
}

// A manner that is much worse than another is not tried for long, or trying would cost more than it gives.
TEST(Pace, TriesWhatIsHopelessOnlyBriefly) {
  Machine machine(true);
  machine.rate = [](Manner manner) { return manner == Manner::polling ? 5'000U : 800U; };
  machine.share_of(Manner::polling, second / 2);
  EXPECT_GT(machine.share_of(Manner::polling, 4 * second), 0.93);
}

}  // namespace
}  // namespace tcmufs::volume
