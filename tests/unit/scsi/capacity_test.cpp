#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

Bytes read_capacity_10(u32 lba = 0, u8 flags = 0) {
  return join({{0x25, 0}, big_endian(lba, 4), {0, 0, flags, 0}});
}

/// A unit so big that its store could not be had; capacity commands need none.
Bytes capacity_of(u64 size_bytes, const Bytes& cdb) {
  LogicalUnit unit({},
                   {.block_size_bytes = 512, .physical_block_size_bytes = 4096, .size_bytes = size_bytes});
  Bytes data(32);
  const iovec buffer{data.data(), data.size()};
  const auto response = std::get<Response>(unit.start({cdb, {&buffer, 1}}));
  data.resize(response.data_in_bytes.value_or(0));
  return data;
}

TEST(ReadCapacity10, GivesTheLastBlockAndTheBlockSize) {
  TestDisk disk;
  const Bytes data = disk.ask(read_capacity_10()).data;
  ASSERT_EQ(data.size(), 8u);
  EXPECT_EQ(number(data, 0, 4), default_size / 512 - 1);
  EXPECT_EQ(number(data, 4, 4), 512u);
}

TEST(ReadCapacity10, SaysSeeReadCapacity16WhenTheLastBlockDoesNotFit) {
  EXPECT_EQ(number(capacity_of((u64{1} << 32) * 512, read_capacity_10()), 0, 4), 0xffffffffu);
  EXPECT_EQ(number(capacity_of(((u64{1} << 32) - 1) * 512, read_capacity_10()), 0, 4), 0xfffffffeu);
  EXPECT_EQ(number(capacity_of(u64{1} << 50, read_capacity_10()), 0, 4), 0xffffffffu);
}

TEST(ReadCapacity10, AnAddressNeedsPmi) {
  TestDisk disk;
  EXPECT_EQ(disk.ask(read_capacity_10(1)).sense, invalid_field);
  EXPECT_TRUE(disk.ask(read_capacity_10(1, 1)).good());
  EXPECT_EQ(disk.ask(read_capacity_10(0xffffffff, 1)).sense, out_of_range);
}

TEST(ReadCapacity16, SaysThinZeroedAndTheSizeOfPhysicalBlocks) {
  TestDisk disk;
  const Bytes data = disk.ask(read_capacity_16(255)).data;
  ASSERT_EQ(data.size(), 32u);
  EXPECT_EQ(number(data, 0, 8), default_size / 512 - 1);
  EXPECT_EQ(number(data, 8, 4), 512u);
  EXPECT_EQ(data[12], 0);
  EXPECT_EQ(data[13], 3);
  EXPECT_EQ(number(data, 14, 2), 0xc000u);
}

TEST(ReadCapacity16, EveryAllocationLengthTruncates) {
  TestDisk disk;
  for (u32 length = 0; length < 40; ++length) {
    EXPECT_EQ(disk.ask(read_capacity_16(length)).data.size(), std::min(length, 32u));
  }
}

TEST(ReadCapacity, OfADiskWithoutBlocksCannotSayZero) {
  EXPECT_EQ(number(capacity_of(0, read_capacity_10()), 0, 4), 0u);
  EXPECT_EQ(number(capacity_of(0, read_capacity_16()), 0, 8), 0u);
  TestDisk disk({.size_bytes = 0});
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0, 0, 1)).sense, out_of_range);
}

TEST(ReadCapacity16, KnowsMoreThan32BitsOfBlocks) {
  EXPECT_EQ(number(capacity_of(u64{1} << 62, read_capacity_16()), 0, 8), (u64{1} << 53) - 1);
}

TEST(Resize, IsSeenByTheNextCommandsAfterOneUnitAttention) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
  EXPECT_FALSE(disk.store.resize(default_size * 2));
  disk.unit.resize(default_size * 2);
  EXPECT_TRUE(disk.ask(inquiry(36)).good());
  EXPECT_EQ(disk.ask(test_unit_ready()).sense, (SenseCode{0x6, 0x2a, 0x09}));
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
  EXPECT_EQ(number(disk.ask(read_capacity_16()).data, 0, 8), default_size * 2 / 512 - 1);
  EXPECT_TRUE(disk.ask(cdb_10(0x28, 0, default_size / 512, 1)).good());
}

TEST(Resize, BeforeTheFirstCommandIsNoNews) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask(inquiry(36)).good());
  disk.unit.resize(default_size * 2);
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
}

TEST(Resize, ToTheSameSizeIsNoNews) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
  disk.unit.resize(default_size);
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
}

TEST(Resize, ShrinkingTakesTheBlocksBehindTheEndAway) {
  TestDisk disk;
  disk.unit.resize(default_size / 2);
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0, default_size / 1024, 1)).sense, out_of_range);
}

TEST(Format, ThatNoDiskHasIsRefused) {
  EXPECT_THROW(LogicalUnit({}, {.block_size_bytes = 520, .size_bytes = 520}), std::system_error);
  EXPECT_THROW(LogicalUnit({}, {.block_size_bytes = 4096, .physical_block_size_bytes = 512}),
               std::system_error);
  EXPECT_THROW(LogicalUnit({}, {.physical_block_size_bytes = 3072}), std::system_error);
  EXPECT_THROW(LogicalUnit({}, {.physical_block_size_bytes = 2u << 20}), std::system_error);
  EXPECT_THROW(LogicalUnit({}, {.size_bytes = 513}), std::system_error);
  for (const u32 unit : {0u, 3000u, 2u << 20}) {
    EXPECT_THROW(LogicalUnit({}, {.size_bytes = 512, .allocation_unit_bytes = unit}), std::system_error);
  }
  EXPECT_NO_THROW(
      LogicalUnit({}, {.block_size_bytes = 512, .physical_block_size_bytes = 512, .size_bytes = 512}));
}

}  // namespace

}  // namespace tcmufs::scsi::test
