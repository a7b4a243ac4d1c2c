#include <atomic>
#include <cerrno>
#include <limits>
#include <thread>

#include "scsi/buffer.h"
#include "scsi/geometry.h"
#include "scsi/range_lock.h"
#include "scsi/sense.h"
#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

constexpr u64 most = std::numeric_limits<u64>::max();

TEST(Geometry, MakesNoRangeThatIsNotThere) {
  const Geometry geometry(512, 3, 512 * 100);
  EXPECT_TRUE(geometry.range(0, 100));
  EXPECT_FALSE(geometry.range(0, 101));
  EXPECT_TRUE(geometry.range(100, 0));
  EXPECT_FALSE(geometry.range(101, 0));
  EXPECT_FALSE(geometry.range(99, 2));
  EXPECT_FALSE(geometry.range(most, 1));
  EXPECT_FALSE(geometry.range(1, most));
  EXPECT_FALSE(geometry.range(most, most));
  EXPECT_EQ(geometry.range(7, 3)->offset_bytes(), 3584u);
  EXPECT_EQ(geometry.range(7, 3)->length_bytes(), 1536u);
}

TEST(Geometry, OfTheLargestDiskDoesNotOverflow) {
  const Geometry geometry(4096, 0, most - 4095);
  EXPECT_EQ(geometry.range(0, geometry.blocks())->end_bytes(), most - 4095);
  EXPECT_EQ(geometry.range(geometry.blocks() - 1, 1)->length_bytes(), 4096u);
}

TEST(Geometry, ARangeCanOnlyGetShorter) {
  const ByteRange range = *Geometry(512, 0, 5120).range(1, 2);
  EXPECT_EQ(range.first(10).length_bytes(), 10u);
  EXPECT_EQ(range.first(most).length_bytes(), 1024u);
  EXPECT_EQ(range.part(24, 100).offset_bytes(), 536u);
  EXPECT_EQ(range.part(24, 100).length_bytes(), 100u);
  EXPECT_EQ(range.part(1000, 100).length_bytes(), 24u);
  EXPECT_EQ(range.part(most, most).length_bytes(), 0u);
  EXPECT_EQ(range.part(most, most).offset_bytes(), range.end_bytes());
}

TEST(Buffer, CopiesStopAtTheShorterSide) {
  const PiecedBuffer buffer(Bytes(10));
  EXPECT_EQ(copy_to(buffer.pieces(), Bytes(4, 1)), 4u);
  EXPECT_EQ(buffer.bytes(), join({Bytes(4, 1), Bytes(6)}));
  EXPECT_EQ(copy_to(buffer.pieces(), Bytes(20, 2)), 10u);
  EXPECT_EQ(buffer.bytes(), Bytes(10, 2));
  Bytes out(4);
  EXPECT_EQ(copy_from(buffer.pieces(), 8, out), 2u);
  EXPECT_EQ(out, (Bytes{2, 2, 0, 0}));
  EXPECT_EQ(copy_from(buffer.pieces(), 10, out), 0u);
  EXPECT_EQ(copy_from(buffer.pieces(), most, out), 0u);
}

TEST(Buffer, ASliceHasTheBytesAskedFor) {
  Bytes bytes(100);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<u8>(i);
  const PiecedBuffer buffer(bytes);
  for (std::size_t skip = 0; skip < 100; skip += 7) {
    for (std::size_t length = 0; skip + length <= 100; length += 9) {
      const auto part = scsi::slice(buffer.pieces(), skip, length);
      Bytes out(length);
      EXPECT_EQ(length_bytes(part), length);
      EXPECT_EQ(copy_from(part, 0, out), length);
      EXPECT_EQ(out, slice(bytes, skip, length));
    }
  }
}

TEST(Buffer, LengthsThatOverflowAreTheLargest) {
  const std::array<iovec, 2> huge = {iovec{nullptr, std::numeric_limits<std::size_t>::max()},
                                     iovec{nullptr, 1}};
  EXPECT_EQ(length_bytes(huge), most);
}

TEST(SenseEncoding, AnInformationTooBigForTheFixedFormatIsNotValid) {
  const Sense sense = sense::lba_out_of_range.with_information(u64{1} << 32);
  EXPECT_EQ(encode(sense, SenseFormat::fixed).bytes[0], 0x70);
  EXPECT_EQ(encode(sense::lba_out_of_range.with_information(5), SenseFormat::fixed).bytes[0], 0xf0);
  EXPECT_EQ(encode(sense, SenseFormat::descriptor).length, 8 + 12);
  EXPECT_EQ(encode(sense, SenseFormat::fixed).length, 18);
}

TEST(RangeLock, AWaiterIsNotOvertakenByALaterOneThatOverlaps) {
  const Geometry geometry(512, 0, 51200);
  const ByteRange range = *geometry.range(0, 10);
  RangeLock lock;
  std::atomic<int> order = 0;
  std::atomic<int> exclusive_at = 0;
  std::atomic<int> shared_at = 0;
  std::optional<RangeLock::Guard> first;
  first.emplace(lock, range, RangeLock::Mode::shared);
  std::thread exclusive([&] {
    const RangeLock::Guard guard(lock, range, RangeLock::Mode::exclusive);
    exclusive_at = ++order;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::thread shared([&] {
    const RangeLock::Guard guard(lock, range, RangeLock::Mode::shared);
    shared_at = ++order;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(order, 0);
  first.reset();
  exclusive.join();
  shared.join();
  EXPECT_EQ(exclusive_at, 1);
  EXPECT_EQ(shared_at, 2);
}

TEST(RangeLock, RangesThatDoNotOverlapDoNotWait) {
  const Geometry geometry(512, 0, 51200);
  RangeLock lock;
  const RangeLock::Guard one(lock, *geometry.range(0, 10), RangeLock::Mode::exclusive);
  const RangeLock::Guard two(lock, *geometry.range(10, 10), RangeLock::Mode::exclusive);
  const RangeLock::Guard three(lock, *geometry.range(20, 10), RangeLock::Mode::shared);
  const RangeLock::Guard four(lock, *geometry.range(20, 10), RangeLock::Mode::shared);
  const RangeLock::Guard above(lock, *geometry.range(90, 10), RangeLock::Mode::exclusive);
  const RangeLock::Guard below(lock, *geometry.range(80, 10), RangeLock::Mode::exclusive);
  SUCCEED();
}

}  // namespace

}  // namespace tcmufs::scsi::test
