#include <gmock/gmock.h>

#include <random>

#include "sys/error.h"
#include "unit/tcmu/ring_bench.h"

namespace tcmufs::test {
namespace {

using tcmu::Ring;
using testing::HasSubstr;

constexpr std::size_t len_op = 0;
constexpr std::size_t iov_cnt = 8;
constexpr std::size_t iov_bidi_cnt = 12;
constexpr std::size_t cdb_off = 24;
constexpr std::size_t first_iov_base = 48;
constexpr std::size_t first_iov_len = 56;
constexpr std::size_t head = 12;
constexpr std::size_t tail = 64;

std::string refusal(RingBench& bench) {
  try {
    Ring ring(bench.memory.span());
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EPROTO);
    return failure.what();
  }
  return "accepted";
}

TEST(Mailbox, OfAnotherVersionIsRefused) {
  RingBench bench;
  bench.poke<u16>(0, 3);
  EXPECT_THAT(refusal(bench), HasSubstr("version is 3, not 2"));
}

TEST(Mailbox, WhoseRingOverlapsItOrIsMisalignedIsRefused) {
  for (const u32 offset : {0U, 64U, 120U, 129U, 0x7fffffffU, 0xfffffff8U}) {
    RingBench bench;
    bench.poke<u32>(4, offset);
    EXPECT_THAT(refusal(bench), HasSubstr("cmdr_off is")) << offset;
  }
}

TEST(Mailbox, WhoseRingDoesNotFitTheMappingIsRefused) {
  const FakeKernelRing::Shape shape;
  const auto room = static_cast<u32>(shape.map_bytes() - 128);
  for (const u32 size : {0U, 100U, room + 8, 0xfffffff8U}) {
    RingBench bench(shape);
    bench.poke<u32>(8, size);
    EXPECT_THAT(refusal(bench), HasSubstr("cmdr_size is")) << size;
  }
  RingBench bench(shape);
  bench.poke<u32>(8, room);
  EXPECT_EQ(refusal(bench), "accepted");
}

TEST(Mailbox, WhoseIndicesAreOutsideTheRingIsRefused) {
  for (const u32 index : {3968U, 12U, 0xfffffff8U}) {
    RingBench bench;
    bench.poke<u32>(head, index);
    EXPECT_THAT(refusal(bench), HasSubstr("cmd_head is")) << index;
    RingBench other;
    other.poke<u32>(tail, index);
    EXPECT_THAT(refusal(other), HasSubstr("cmd_tail is")) << index;
  }
}

TEST(Mailbox, IsRefusedWhereThereIsNoRoomForIt) {
  RingBytes memory(120);
  EXPECT_THROW(Ring(memory.span()), Failure);
  EXPECT_THROW(Ring(std::span<std::byte>()), Failure);
}

// A ring with one good command, and one of 5000 bytes at `entry` that a test can damage.
struct DamagedRing : RingBench {
  explicit DamagedRing(FakeKernelRing::Shape shape = {}) : RingBench(shape) {
    kernel.queue(cdb6(0x00));
    kernel.queue(cdb6(0x08), {}, 3 * 4096);
    entry = kernel.last_entry();
    length = peek<u32>(entry) & ~7U;
  }

  // What the ring says after the good command has been taken and the damaged one has been met.
  std::string fault() {
    const u32 tail_before = peek<u32>(tail);
    Ring ring(memory.span());
    tcmu::RingCommand* good = ring.take();
    EXPECT_NE(good, nullptr);
    if (ring.take() != nullptr) return "taken";
    if (!ring.broken()) return "skipped";
    const std::vector<std::byte> before(memory.span().begin(), memory.span().end());
    if (good != nullptr) finish_good(ring, *good);
    EXPECT_FALSE(ring.commit());
    EXPECT_EQ(ring.take(), nullptr);
    EXPECT_EQ(ring.in_flight(), 0U);
    EXPECT_EQ(peek<u32>(tail), tail_before);
    EXPECT_TRUE(std::equal(before.begin(), before.end(), memory.span().begin())) << "something was stored";
    return ring.fault();
  }

  std::size_t entry = 0;
  u32 length = 0;
};

TEST(BrokenRing, TheUndamagedOneIsTaken) {
  EXPECT_EQ(DamagedRing().fault(), "taken");
}

TEST(BrokenRing, TheFaultSaysWhere) {
  DamagedRing ring;
  ring.poke<u32>(ring.entry + len_op, 1);
  EXPECT_THAT(ring.fault(), HasSubstr("broken at " + std::to_string(ring.entry - 128) +
                                      " of 3968 bytes: it is too "
                                      "short, with 0 bytes"));
}

TEST(BrokenRing, AnEntryOfNoLengthBreaksIt) {
  for (const u32 op : {0U, 1U, 2U, 5U}) {
    DamagedRing ring;
    ring.poke<u32>(ring.entry + len_op, op);
    EXPECT_THAT(ring.fault(), HasSubstr("too short")) << op;
  }
}

TEST(BrokenRing, ACommandShorterThanItsResponseBreaksIt) {
  DamagedRing ring;
  ring.poke<u32>(ring.entry + len_op, 104 | 1);
  EXPECT_THAT(ring.fault(), HasSubstr("too short"));
}

TEST(BrokenRing, AnEntryBeyondTheHeadBreaksIt) {
  for (const u32 op : {0U, 1U, 2U}) {
    DamagedRing ring;
    ring.poke<u32>(ring.entry + len_op, (ring.length + 8) | op);
    EXPECT_THAT(ring.fault(), HasSubstr("beyond cmd_head")) << op;
  }
}

TEST(BrokenRing, AnEntryBeyondTheEndOfTheRingBreaksIt) {
  for (const u32 size : {3968U, 0xfffffff8U}) {
    DamagedRing ring;
    ring.poke<u32>(ring.entry + len_op, size | 1);
    EXPECT_THAT(ring.fault(), HasSubstr("beyond the end of the ring")) << size;
  }
}

TEST(BrokenRing, MoreBuffersThanTheEntryHasRoomForBreakIt) {
  for (const u32 count : {6U, 0x10000000U, 0xffffffffU}) {
    DamagedRing out;
    out.poke<u32>(out.entry + iov_cnt, count);
    EXPECT_THAT(out.fault(), HasSubstr("it holds no")) << count;
    DamagedRing in;
    in.poke<u32>(in.entry + iov_bidi_cnt, count);
    EXPECT_THAT(in.fault(), HasSubstr("it holds no")) << count;
  }
}

TEST(BrokenRing, ACdbOutsideItsEntryBreaksIt) {
  DamagedRing measure;
  const u64 end = measure.entry + measure.length;
  for (const u64 offset : {u64{0}, u64{measure.entry}, u64{measure.entry + 104}, end, end + 8, ~u64{0}}) {
    DamagedRing ring;
    ring.poke<u64>(ring.entry + cdb_off, offset);
    EXPECT_THAT(ring.fault(), HasSubstr("outside of it")) << offset;
  }
}

TEST(BrokenRing, ACdbThatIsCutOffByTheEndOfItsEntryBreaksIt) {
  DamagedRing ring;
  ring.poke<u64>(ring.entry + cdb_off, ring.entry + ring.length - 5);
  EXPECT_THAT(ring.fault(), HasSubstr("does not fit"));
}

TEST(BrokenRing, ABufferOutsideTheDataAreaBreaksIt) {
  const FakeKernelRing::Shape shape;
  const u64 end = shape.map_bytes();
  const u64 data = 128 + shape.cmdr_bytes;
  for (const u64 base : {u64{0}, u64{64}, data - 1, end, end - 4095, ~u64{0}, ~u64{0} - 4095}) {
    DamagedRing ring(shape);
    ring.poke<u64>(ring.entry + first_iov_base, base);
    ring.poke<u64>(ring.entry + first_iov_len, 4096);
    EXPECT_THAT(ring.fault(), HasSubstr("outside the data area")) << base;
  }
  for (const u64 length : {end - data + 1, ~u64{0}}) {
    DamagedRing ring(shape);
    ring.poke<u64>(ring.entry + first_iov_base, data);
    ring.poke<u64>(ring.entry + first_iov_len, length);
    EXPECT_THAT(ring.fault(), HasSubstr("outside the data area")) << length;
  }
}

TEST(BrokenRing, BuffersLargerThanTheDataAreaTogetherBreakIt) {
  const FakeKernelRing::Shape shape;
  DamagedRing ring(shape);
  ASSERT_GE(ring.peek<u32>(ring.entry + iov_cnt), 2U);
  ring.poke<u64>(ring.entry + first_iov_base, 128 + shape.cmdr_bytes);
  ring.poke<u64>(ring.entry + first_iov_len, shape.map_bytes() - 128 - shape.cmdr_bytes);
  EXPECT_THAT(ring.fault(), HasSubstr("larger than the data area together"));
}

TEST(BrokenRing, AHeadThatLeavesTheRingBreaksIt) {
  for (const u32 index : {3968U, 4U, 0xffffffffU}) {
    RingBench bench;
    Ring ring(bench.memory.span());
    bench.poke<u32>(head, index);
    EXPECT_EQ(ring.take(), nullptr);
    EXPECT_THAT(ring.fault(), HasSubstr("cmd_head does not lie in the ring")) << index;
  }
}

TEST(BrokenRing, AHeadThatMovesBackBreaksIt) {
  RingBench bench;
  bench.kernel.queue(cdb6(0x00));
  bench.kernel.queue(cdb6(0x00));
  Ring ring(bench.memory.span());
  ASSERT_NE(ring.take(), nullptr);
  ASSERT_NE(ring.take(), nullptr);
  bench.poke<u32>(head, 120);
  EXPECT_EQ(ring.take(), nullptr);
  EXPECT_THAT(ring.fault(), HasSubstr("moved back"));
}

TEST(BrokenRing, TheRequestIsCopiedBeforeItIsChecked) {
  RingBench bench;
  const auto data = pattern(100, 1);
  bench.kernel.queue(cdb6(0x0a), data);
  Ring ring(bench.memory.span());
  tcmu::RingCommand* command = ring.take();
  const std::size_t entry = bench.kernel.last_entry();
  for (std::size_t i = 8; i < 120; ++i) bench.poke<u8>(entry + i, 0xff);
  EXPECT_EQ(command->cdb[0], 0x0a);
  EXPECT_EQ(gather(*command), data);
}

// With the address sanitizer and a guard behind the memory: no byte outside is touched, whatever the ring
// holds.
TEST(BrokenRing, RandomBytesNeverLeadOutsideTheMapping) {
  std::mt19937 random(7);
  const auto pick = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
  const FakeKernelRing::Shape shape{.cmdr_bytes = 1200, .data_blocks = 4};
  std::size_t broken = 0;
  for (int i = 0; i < 5000; ++i) {
    RingBench bench(shape);
    bench.kernel.queue(cdb6(0x0a), pattern(5000, 1));
    bench.kernel.queue(cdb6(0x08), {}, 100);
    const std::size_t damages = 1 + pick(6);
    for (std::size_t k = 0; k < damages; ++k) {
      const std::size_t at = 128 + pick(256);
      bench.poke<u8>(at, static_cast<u8>(pick(2) == 0 ? pick(256) : bench.peek<u8>(at) ^ (1U << pick(8))));
    }
    Ring ring(bench.memory.span());
    while (tcmu::RingCommand* command = ring.take()) {
      const auto bytes = gather(*command);
      ring.finish(*command, {0, {}, bytes.size() / 2});
    }
    ring.commit();
    broken += ring.broken();
    ASSERT_LT(bench.peek<u32>(tail), shape.cmdr_bytes);
  }
  EXPECT_GT(broken, 500U);
}

}  // namespace
}  // namespace tcmufs::test
