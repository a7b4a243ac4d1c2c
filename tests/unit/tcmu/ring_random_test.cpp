#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "unit/tcmu/initiator.h"

namespace tcmufs::test {
namespace {

void run(FakeKernelRing::Shape shape, unsigned seed) {
  RingBench bench(shape);
  tcmu::Ring ring(bench.memory.span());
  Initiator initiator(seed);
  std::vector<tcmu::RingCommand*> taken;
  while (initiator.answered() < 4000) {
    const u32 action = initiator.pick(8);
    if (action < 3) {
      initiator.queue_one(bench.kernel);
    } else if (action == 3) {
      bench.kernel.queue_other(2, 24 + 8 * initiator.pick(4));
    } else if (action == 4) {
      if (tcmu::RingCommand* command = ring.take(); command != nullptr) taken.push_back(command);
    } else if (action < 7) {
      if (taken.empty()) continue;
      std::swap(taken[initiator.pick(static_cast<u32>(taken.size()))], taken.back());
      initiator.execute(ring, *taken.back());
      taken.pop_back();
    } else if (ring.commit()) {
      bench.kernel.notify();
      initiator.check(bench.kernel);
    }
    ASSERT_FALSE(ring.broken()) << ring.fault();
    if (testing::Test::HasFatalFailure()) return;
    ASSERT_EQ(ring.in_flight(), taken.size());
  }
  EXPECT_GT(bench.kernel.pads(), 20U);
}

TEST(RingRandom, ThousandsOfCommandsInASmallRingAreAnsweredAsTheyShould) {
  run({.cmdr_bytes = 1000, .data_blocks = 12}, 1);
}

TEST(RingRandom, ThousandsOfCommandsInARingWhoseSizeIsNoPowerOfTwo) {
  run({.cmdr_bytes = 3968, .data_blocks = 64}, 2);
}

TEST(RingRandom, ThousandsOfCommandsInARingOfTwoEntries) {
  run({.cmdr_bytes = 376, .data_blocks = 8}, 3);
}

TEST(RingRandom, TheKernelWorksOnAnotherProcessorMeanwhile) {
  RingBench bench({.cmdr_bytes = 1000, .data_blocks = 12});
  Initiator initiator(4);
  tcmu::Ring ring(bench.memory.span());
  constexpr u32 commands = 5000;
  std::atomic<bool> stop{false};
  std::thread daemon([&] {
    std::vector<tcmu::RingCommand*> taken;
    u32 done = 0;
    while (done < commands && !stop) {
      while (tcmu::RingCommand* command = ring.take()) taken.push_back(command);
      if (taken.empty()) std::this_thread::yield();
      for (; !taken.empty(); taken.pop_back(), ++done) {
        ring.finish(*taken.back(), {0, {}, gather(*taken.back()).size()});
      }
      ring.commit();
      if (ring.broken()) stop = true;
    }
  });
  const std::array<u8, 6> write = cdb6(0x0a);
  std::size_t answered = 0;
  for (u32 queued = 0; answered < commands && !stop;) {
    if (queued < commands && bench.kernel.queue(write, pattern(1 + initiator.pick(9000), queued))) ++queued;
    bench.kernel.notify();
    const std::size_t now = bench.kernel.completions().size();
    answered += now;
    if (now == 0) std::this_thread::yield();
    if (bench.kernel.broken()) stop = true;
  }
  EXPECT_EQ(bench.kernel.complaint(), "");
  daemon.join();
  EXPECT_FALSE(ring.broken()) << ring.fault();
}

}  // namespace
}  // namespace tcmufs::test
