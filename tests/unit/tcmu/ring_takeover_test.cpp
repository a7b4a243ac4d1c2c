#include <gmock/gmock.h>

#include <cstring>
#include <utility>

#include "unit/tcmu/initiator.h"

namespace tcmufs::test {
namespace {

using tcmu::Ring;
using tcmu::RingCommand;
using tcmu::Store;

constexpr FakeKernelRing::Shape shape{.cmdr_bytes = 1200, .data_blocks = 10};

// A machine with a daemon that serves the ring. After every store of the daemon into shared memory a copy of
// the machine is made on which it has died there, and another one takes over.
class Machine : public tcmu::StoreObserver {
 public:
  explicit Machine(unsigned seed)
      : memory_(shape.map_bytes()), kernel_(memory_.span(), shape), initiator_(seed) {}

  void live_and_die(int steps);
  static std::size_t takeovers;

 private:
  enum class Death { at_once, in_the_middle_of_the_response };

  Machine(const Machine& other)
      : StoreObserver(),
        generation_(other.generation_ + 1),
        memory_(other.memory_),
        kernel_(other.kernel_.over(memory_.span())),
        initiator_(other.initiator_),
        executed_(other.executed_),
        torn_(other.torn_) {}

  void stored(Store what, std::span<std::byte> bytes) noexcept override;
  void execute(Ring& ring, RingCommand& command);
  void die(Death death);
  void take_over();
  std::span<std::byte> ring_bytes() { return memory_.span().first(128 + shape.cmdr_bytes); }

  int generation_ = 0;
  RingBytes memory_;
  FakeKernelRing kernel_;
  Initiator initiator_;
  std::set<u32> executed_;            // marked as such in the ring, or about to be: not to be taken again
  std::set<u32> torn_;                // executed, the response is not complete yet
  u32 finishing_ = 0;                 // serial of the command in finish()
  int marks_ = 0;                     // stores of marks in it
  std::vector<std::byte> last_ring_;  // as it was after the last store
};

std::size_t Machine::takeovers = 0;

void Machine::execute(Ring& ring, RingCommand& command) {
  finishing_ = Initiator::serial(command);
  ASSERT_FALSE(executed_.contains(finishing_)) << "executed twice";
  marks_ = 0;
  initiator_.execute(ring, command);
  finishing_ = 0;
}

void Machine::stored(Store what, std::span<std::byte>) noexcept {
  if (finishing_ != 0 && what == Store::mark) {
    executed_.insert(finishing_);
    if (++marks_ == 1) {
      torn_.insert(finishing_);
    } else {
      torn_.erase(finishing_);
    }
  }
  if (what == Store::response) {
    for (int i = 0; i < 4; ++i) die(Death::in_the_middle_of_the_response);
  }
  die(Death::at_once);
  last_ring_.assign(ring_bytes().begin(), ring_bytes().end());
}

void Machine::die(Death death) {
  if (testing::Test::HasFailure() || generation_ == 3) return;
  if (generation_ > 0 && initiator_.pick(12) != 0) return;
  Machine next(*this);
  if (death == Death::in_the_middle_of_the_response) {
    // Any part of the bytes has been stored.
    const u32 share = 1 + initiator_.pick(9);
    for (std::size_t i = 0; i < last_ring_.size(); ++i) {
      if (initiator_.pick(10) >= share) next.ring_bytes()[i] = last_ring_[i];
    }
  }
  next.take_over();
}

void Machine::take_over() {
  ++takeovers;
  last_ring_.assign(ring_bytes().begin(), ring_bytes().end());
  Ring ring(memory_.span(), this);
  for (int round = 0; round < 2; ++round) {
    std::vector<RingCommand*> taken;
    while (RingCommand* command = ring.take()) taken.push_back(command);
    ASSERT_FALSE(ring.broken()) << ring.fault();
    for (; !taken.empty(); taken.pop_back()) {
      execute(ring, *taken.back());
      if (testing::Test::HasFailure()) return;
    }
    ASSERT_TRUE(ring.commit());
    kernel_.notify();
    initiator_.check(kernel_, torn_);
    ASSERT_EQ(kernel_.pending(), 0U);
    ASSERT_TRUE(initiator_.queue_one(kernel_)) << "life goes on";
  }
}

void Machine::live_and_die(int steps) {
  Ring ring(memory_.span(), this);
  std::vector<RingCommand*> taken;
  for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
    const u32 action = initiator_.pick(8);
    if (action < 3) {
      initiator_.queue_one(kernel_);
      if (initiator_.pick(3) == 0) kernel_.queue_other(2, 32);
    } else if (action < 5) {
      if (RingCommand* command = ring.take(); command != nullptr) taken.push_back(command);
    } else if (action < 7) {
      if (taken.empty()) continue;
      std::swap(taken[initiator_.pick(static_cast<u32>(taken.size()))], taken.back());
      execute(ring, *taken.back());
      taken.pop_back();
    } else if (ring.commit()) {
      kernel_.notify();
      initiator_.check(kernel_);
    }
    die(Death::at_once);
  }
}

TEST(RingTakeover, AtAnyInstantLosesNothingAnswersNothingTwiceAndNothingWrongly) {
  for (unsigned seed = 1; seed <= 2 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Machine(seed).live_and_die(250);
  }
  EXPECT_GT(Machine::takeovers, 3000U);
}

TEST(RingTakeover, AnExecutedCommandBehindAnUnfinishedOneIsNotTakenAgain) {
  RingBench bench;
  bench.kernel.queue(cdb6(0x00));
  const auto second = bench.kernel.queue(cdb6(0x00));
  {
    Ring ring(bench.memory.span());
    ring.take();
    finish_good(ring, *ring.take());
  }
  Ring ring(bench.memory.span());
  RingCommand* first = ring.take();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(ring.take(), nullptr);
  finish_good(ring, *first);
  ring.commit();
  bench.kernel.notify();
  const auto completions = bench.kernel.completions();
  ASSERT_EQ(completions.size(), 2U);
  EXPECT_EQ(completions[1].id, second);
}

TEST(RingTakeover, TheExactSenseOfACompleteResponseSurvives) {
  RingBench bench;
  bench.kernel.queue(cdb6(0x00));
  const auto sense = pattern(20, 1);
  {
    Ring ring(bench.memory.span());
    ring.finish(*ring.take(), {0x02, sense, {}});
  }
  Ring ring(bench.memory.span());
  ring.commit();
  bench.kernel.notify();
  EXPECT_THAT(std::span(bench.kernel.completions().at(0).sense).first(20), testing::ElementsAreArray(sense));
}

TEST(RingTakeover, ATornShortReadIsAbortedBecauseItsLengthIsLost) {
  RingBench bench;
  bench.kernel.queue(cdb6(0x12), {}, 4096);
  bench.poke<u8>(bench.kernel.last_entry() + 7, 0x42);
  Ring ring(bench.memory.span());
  EXPECT_EQ(ring.take(), nullptr);
  EXPECT_TRUE(ring.commit());
  bench.kernel.notify();
  const auto completions = bench.kernel.completions();
  EXPECT_EQ(completions.at(0).status, 0x02);
  EXPECT_EQ(completions.at(0).sense.at(2), 0x0b);
  EXPECT_TRUE(completions.at(0).data_in.empty());
}

TEST(RingTakeover, AMarkThatACommandHasBegunReachesTheSuccessor) {
  RingBench bench;
  bench.kernel.queue(cdb6(0x00));
  bench.kernel.queue(cdb6(0x00));
  {
    Ring ring(bench.memory.span());
    EXPECT_FALSE(ring.take()->begun);
    ring.mark_begun(*ring.take());
  }
  Ring ring(bench.memory.span());
  EXPECT_FALSE(ring.take()->begun);
  RingCommand* second = ring.take();
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->begun);
}

}  // namespace
}  // namespace tcmufs::test
