#include "tcmu/ring.h"

#include <gmock/gmock.h>

#include "support/allocation_count.h"
#include "sys/error.h"
#include "unit/tcmu/ring_bench.h"

namespace tcmufs::test {
namespace {

using tcmu::Ring;
using tcmu::RingCommand;
using testing::Each;
using testing::ElementsAreArray;

constexpr u8 check_condition = 0x02;
constexpr u8 busy = 0x08;

// Leaves the bytes of an earlier command in every block of the data area.
void soil(RingBench& bench, Ring& ring, std::size_t blocks) {
  ASSERT_TRUE(bench.kernel.queue(cdb6(0x0a), pattern(blocks * FakeKernelRing::block_bytes, 99)));
  finish_good(ring, *ring.take());
  ASSERT_TRUE(ring.commit());
  bench.kernel.notify();
  ASSERT_EQ(bench.kernel.completions().size(), 1U);
}

FakeKernelRing::Completion answer(RingBench& bench, Ring& ring, const tcmu::RingResponse& response) {
  ring.finish(*ring.take(), response);
  EXPECT_TRUE(ring.commit());
  bench.kernel.notify();
  EXPECT_EQ(bench.kernel.complaint(), "");
  auto completions = bench.kernel.completions();
  EXPECT_EQ(completions.size(), 1U);
  return completions.at(0);
}

TEST(Ring, AnEmptyRingGivesNoCommand) {
  RingBench bench;
  Ring ring(bench.memory.span());
  EXPECT_EQ(ring.take(), nullptr);
  EXPECT_FALSE(ring.broken());
  EXPECT_EQ(ring.in_flight(), 0U);
}

TEST(Ring, TheFirstCommitAsksForANotifyAndLaterOnesOnlyWhenTheTailMoved) {
  RingBench bench;
  Ring ring(bench.memory.span());
  EXPECT_TRUE(ring.commit());
  EXPECT_FALSE(ring.commit());
  bench.kernel.queue(cdb6(0x00));
  RingCommand* command = ring.take();
  EXPECT_FALSE(ring.commit());
  finish_good(ring, *command);
  EXPECT_TRUE(ring.commit());
  EXPECT_FALSE(ring.commit());
}

TEST(Ring, GivesTheCdbAndTheScatteredDataOut) {
  RingBench bench;
  const std::array<u8, 10> cdb = {0x2a, 0, 1, 2, 3, 4, 0, 0, 24, 0};
  const auto data = pattern(3 * 4096 - 100, 1);
  const auto id = bench.kernel.queue(cdb, data);
  Ring ring(bench.memory.span());
  RingCommand* command = ring.take();
  ASSERT_NE(command, nullptr);
  EXPECT_EQ(command->id, id);
  EXPECT_THAT(command->cdb_bytes(), ElementsAreArray(cdb));
  EXPECT_GT(command->buffer.size(), 1U);
  EXPECT_EQ(gather(*command), data);
  EXPECT_EQ(ring.in_flight(), 1U);
}

TEST(Ring, ACommandWithoutDataHasNoBuffer) {
  RingBench bench;
  bench.kernel.queue(cdb6(0x00));
  Ring ring(bench.memory.span());
  EXPECT_TRUE(ring.take()->buffer.empty());
}

TEST(Ring, CommandsFinishedInAnyOrderGoBackInRingOrder) {
  RingBench bench;
  Ring ring(bench.memory.span());
  ring.commit();
  std::vector<RingCommand*> commands;
  std::vector<u16> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(*bench.kernel.queue(cdb6(0x00)));
    commands.push_back(ring.take());
  }
  finish_good(ring, *commands[2]);
  finish_good(ring, *commands[1]);
  EXPECT_FALSE(ring.commit());
  finish_good(ring, *commands[0]);
  EXPECT_TRUE(ring.commit());
  bench.kernel.notify();
  EXPECT_EQ(bench.kernel.completions().size(), 3U);
  finish_good(ring, *commands[3]);
  EXPECT_TRUE(ring.commit());
  bench.kernel.notify();
  const auto last = bench.kernel.completions();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].id, ids[3]);
  EXPECT_EQ(bench.kernel.complaint(), "");
}

TEST(Ring, SenseReachesTheInitiatorWithoutBytesOfTheRequestBehindIt) {
  RingBench bench;
  bench.kernel.queue(cdb6(0x08), {}, 4096);
  Ring ring(bench.memory.span());
  const std::array<u8, 18> sense = {0x70, 0, 0x05, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24};
  const auto completion = answer(bench, ring, {check_condition, sense, {}});
  EXPECT_EQ(completion.status, check_condition);
  ASSERT_EQ(completion.sense.size(), 96U);
  EXPECT_THAT(std::span(completion.sense).first(18), ElementsAreArray(sense));
  EXPECT_THAT(std::span(completion.sense).subspan(18), Each(0));
  EXPECT_TRUE(completion.data_in.empty());
}

TEST(Ring, SenseOf96BytesIsCopiedWhole) {
  RingBench bench;
  bench.kernel.queue(cdb6(0x00));
  Ring ring(bench.memory.span());
  const auto sense = pattern(96, 5);
  EXPECT_THAT(answer(bench, ring, {check_condition, sense, {}}).sense, ElementsAreArray(sense));
}

TEST(Ring, DataInOfTheWholeBufferNeedsNoLength) {
  RingBench bench;
  Ring ring(bench.memory.span());
  bench.kernel.queue(cdb6(0x08), {}, 6000);
  RingCommand* command = ring.take();
  const auto data = pattern(6000, 2);
  scatter(*command, data);
  ring.finish(*command, {0, {}, 6000});
  ring.commit();
  EXPECT_EQ(bench.peek<u8>(bench.kernel.last_entry() + 7) & 0x02, 0);
  bench.kernel.notify();
  const auto completions = bench.kernel.completions();
  EXPECT_EQ(completions.at(0).data_in, data);
  EXPECT_EQ(completions.at(0).residual, 0U);
}

TEST(Ring, ShortDataInReportsTheResidualAndNoStaleBytes) {
  RingBench bench;
  Ring ring(bench.memory.span());
  soil(bench, ring, 16);
  bench.kernel.queue(cdb6(0x12), {}, 5000);
  RingCommand* command = ring.take();
  const auto data = pattern(36, 3);
  scatter(*command, data);
  ring.finish(*command, {0, {}, 36});
  ring.commit();
  bench.kernel.notify();
  const auto completions = bench.kernel.completions();
  EXPECT_EQ(completions.at(0).data_in, data);
  EXPECT_EQ(completions.at(0).residual, 4964U);
}

TEST(Ring, DataInOfNoBytesZeroesTheBuffer) {
  RingBench bench;
  Ring ring(bench.memory.span());
  soil(bench, ring, 16);
  bench.kernel.queue(cdb6(0x12), {}, 5000);
  const auto completion = answer(bench, ring, {0, {}, 0});
  EXPECT_EQ(completion.data_in, std::vector<u8>(5000, 0));
}

TEST(Ring, WithoutTheKernelsReadLenTheTailOfTheBufferIsZeroed) {
  RingBench bench({.flags = 0x1});
  Ring ring(bench.memory.span());
  soil(bench, ring, 16);
  bench.kernel.queue(cdb6(0x12), {}, 9000);
  RingCommand* command = ring.take();
  auto data = pattern(5000, 3);
  scatter(*command, data);
  ring.finish(*command, {0, {}, 5000});
  ring.commit();
  bench.kernel.notify();
  data.resize(9000, 0);
  EXPECT_EQ(bench.kernel.completions().at(0).data_in, data);
}

TEST(Ring, MoreDataInThanTheBufferHoldsMeansAllOfIt) {
  RingBench bench;
  Ring ring(bench.memory.span());
  bench.kernel.queue(cdb6(0x12), {}, 100);
  const auto completion = answer(bench, ring, {0, {}, 1000});
  EXPECT_EQ(completion.data_in.size(), 100U);
  EXPECT_EQ(completion.residual, 0U);
}

TEST(Ring, CheckConditionMayCarryDataInWithItsSense) {
  RingBench bench;
  Ring ring(bench.memory.span());
  bench.kernel.queue(cdb6(0x08), {}, 512);
  RingCommand* command = ring.take();
  const auto data = pattern(512, 4);
  scatter(*command, data);
  const std::array<u8, 8> sense = {0x72, 0x01, 0x17};
  ring.finish(*command, {check_condition, sense, 512});
  ring.commit();
  bench.kernel.notify();
  const auto completions = bench.kernel.completions();
  EXPECT_EQ(completions.at(0).data_in, data);
  EXPECT_THAT(std::span(completions.at(0).sense).first(8), ElementsAreArray(sense));
}

TEST(Ring, OtherStatusesGiveTheInitiatorNoStaleBytes) {
  RingBench bench;
  Ring ring(bench.memory.span());
  soil(bench, ring, 16);
  bench.kernel.queue(cdb6(0x08), {}, 4096);
  const auto completion = answer(bench, ring, {busy, {}, {}});
  EXPECT_EQ(completion.status, busy);
  EXPECT_THAT(completion.data_in, Each(0));
}

TEST(Ring, ABidirectionalCommandsDataInIsZeroed) {
  RingBench bench;
  Ring ring(bench.memory.span());
  ASSERT_TRUE(bench.kernel.queue(std::array<u8, 10>{0x53}, pattern(3 * 4096, 7)));
  const std::size_t entry = bench.kernel.last_entry();
  const u32 pieces = bench.peek<u32>(entry + 8);
  ASSERT_GE(pieces, 2U);
  bench.poke<u32>(entry + 8, pieces - 1);
  bench.poke<u32>(entry + 12, 1);
  const u64 in_offset = bench.peek<u64>(entry + 48 + 16 * (pieces - 1));
  const u64 in_bytes = bench.peek<u64>(entry + 56 + 16 * (pieces - 1));
  RingCommand* command = ring.take();
  ASSERT_NE(command, nullptr);
  EXPECT_EQ(command->buffer.size(), pieces - 1);
  finish_good(ring, *command);
  EXPECT_THAT(bench.memory.span().subspan(in_offset, in_bytes), Each(std::byte{0}));
}

TEST(Ring, PadsAtTheEndOfTheRingAreSkipped) {
  RingBench bench({.cmdr_bytes = 400});
  Ring ring(bench.memory.span());
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(bench.kernel.queue(cdb6(0x00)));
    EXPECT_EQ(answer(bench, ring, {}).status, 0);
  }
  EXPECT_GT(bench.kernel.pads(), 3U);
}

TEST(Ring, TaskManagementEntriesAreSkippedWithoutAResponse) {
  RingBench bench;
  Ring ring(bench.memory.span());
  bench.kernel.queue(cdb6(0x00));
  bench.kernel.queue_other(2, 40);
  bench.kernel.queue(cdb6(0x00));
  RingCommand* first = ring.take();
  RingCommand* second = ring.take();
  ASSERT_NE(second, nullptr);
  finish_good(ring, *second);
  finish_good(ring, *first);
  bench.kernel.queue_other(2, 40);
  EXPECT_EQ(ring.take(), nullptr);
  EXPECT_TRUE(ring.commit());
  bench.kernel.notify();
  EXPECT_EQ(bench.kernel.complaint(), "");
  EXPECT_EQ(bench.kernel.completions().size(), 2U);
  EXPECT_EQ(bench.peek<u32>(64), bench.peek<u32>(12)) << "the last one went back as well";
}

TEST(Ring, AnUnknownOperationIsMarkedAndSkipped) {
  RingBench bench;
  Ring ring(bench.memory.span());
  bench.kernel.queue_other(5, 16);
  const std::size_t entry = bench.kernel.last_entry();
  bench.kernel.queue(cdb6(0x00));
  EXPECT_NE(ring.take(), nullptr);
  EXPECT_EQ(bench.peek<u8>(entry + 7), 0x01);
  EXPECT_FALSE(ring.broken());
}

TEST(Ring, OnceWarmACommandTakesNoAllocation) {
  RingBench bench({.cmdr_bytes = 2000});
  Ring ring(bench.memory.span());
  const auto round = [&](bool measure) {
    const auto data = pattern(3 * 4096, 1);
    bench.kernel.queue(cdb6(0x0a), data);
    bench.kernel.queue(cdb6(0x08), {}, 8000);
    const std::size_t before = allocations();
    RingCommand* first = ring.take();
    RingCommand* second = ring.take();
    ring.finish(*second, {0, {}, 100});
    ring.finish(*first, {});
    ring.commit();
    if (measure) {
      ASSERT_EQ(allocations(), before);
    }
    bench.kernel.notify();
  };
  for (int i = 0; i < 300; ++i) round(i > 50);
  EXPECT_EQ(bench.kernel.completions().size(), 600U);
}

}  // namespace
}  // namespace tcmufs::test
