#include <cerrno>

#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

constexpr u8 compare = 0x02;
constexpr u8 reserved = 0x04;
constexpr u8 one_block = 0x06;

struct VerifyTest : testing::TestWithParam<u8> {
  VerifyTest() { disk.store.fill(1); }
  TestDisk disk;

  Bytes cdb(u8 flags, u64 lba, u16 count) const {
    if (GetParam() >> 5 == 4) return cdb_16(GetParam(), flags, lba, count);
    if (GetParam() >> 5 == 5) return cdb_12(GetParam(), flags, static_cast<u32>(lba), count);
    return cdb_10(GetParam(), flags, static_cast<u32>(lba), count);
  }
};
using Verify = VerifyTest;
using WriteAndVerify = VerifyTest;
INSTANTIATE_TEST_SUITE_P(EveryLength, Verify, testing::Values(u8{0x2f}, u8{0xaf}, u8{0x8f}));
INSTANTIATE_TEST_SUITE_P(EveryLength, WriteAndVerify, testing::Values(u8{0x2e}, u8{0xae}, u8{0x8e}));

TEST_P(Verify, WithoutCompareOnlyReadsTheMedium) {
  EXPECT_TRUE(disk.send(cdb(0, 0, 2), blocks_of(9, 2)).good());
  EXPECT_TRUE(disk.send(cdb(0, 0, 2)).good());
  disk.store.fail(Operation::read, EIO);
  EXPECT_EQ(disk.send(cdb(0, 0, 2)).sense, read_error);
}

TEST_P(Verify, ComparesEveryByte) {
  EXPECT_TRUE(disk.send(cdb(compare, 0, 1000), blocks_of(1, 1000)).good());
  Bytes wrong = blocks_of(1, 1000);
  wrong.back() = 2;
  EXPECT_EQ(disk.send(cdb(compare, 0, 1000), wrong).sense, miscompare);
  EXPECT_EQ(disk.send(cdb(compare, 0, 2), blocks_of(1, 1)).sense, invalid_field);
}

TEST_P(Verify, ComparesOneBlockWithAll) {
  EXPECT_TRUE(disk.send(cdb(one_block, 0, 1000), blocks_of(1, 1)).good());
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 999, 1), blocks_of(2, 1)).good());
  EXPECT_EQ(disk.send(cdb(one_block, 0, 1000), blocks_of(1, 1)).sense, miscompare);
  EXPECT_TRUE(disk.send(cdb(one_block, 0, 999), blocks_of(1, 1)).good());
  EXPECT_EQ(disk.send(cdb(one_block, 0, 1), Bytes(511, 1)).sense, invalid_field);
}

TEST_P(Verify, ChecksRangeAndReservedByteCheck) {
  EXPECT_EQ(disk.send(cdb(0, default_blocks - 1, 2)).sense, out_of_range);
  EXPECT_TRUE(disk.send(cdb(compare, default_blocks, 0)).good());
  EXPECT_EQ(disk.send(cdb(reserved, 0, 1), blocks_of(1, 1)).field(), std::pair(1, 2));
}

TEST_P(WriteAndVerify, WritesAndIsStable) {
  EXPECT_TRUE(disk.send(cdb(0, 5, 2), blocks_of(7, 2)).good());
  EXPECT_EQ(slice(disk.store.stable_bytes(), 5 * 512, 1024), blocks_of(7, 2));
  EXPECT_TRUE(disk.send(cdb(compare, 7, 2), blocks_of(8, 2)).good());
  EXPECT_EQ(slice(disk.store.stable_bytes(), 7 * 512, 1024), blocks_of(8, 2));
}

TEST_P(WriteAndVerify, ChecksRangeBufferAndByteCheck) {
  EXPECT_EQ(disk.send(cdb(0, default_blocks - 1, 2), blocks_of(7, 2)).sense, out_of_range);
  EXPECT_EQ(disk.send(cdb(0, 0, 2), blocks_of(7, 1)).sense, invalid_field);
  EXPECT_EQ(disk.send(cdb(reserved, 0, 1), blocks_of(7, 1)).field(), std::pair(1, 2));
  EXPECT_EQ(disk.send(cdb(one_block, 0, 1), blocks_of(7, 1)).field(), std::pair(1, 2));
  EXPECT_EQ(disk.store.changes(), 0u);
}

TEST_P(WriteAndVerify, ReportsWhatCannotBeWritten) {
  disk.store.fail(Operation::write, EIO);
  for (const u8 check : {u8{0}, compare}) {
    EXPECT_EQ(disk.send(cdb(check, 0, 1), blocks_of(7, 1)).sense, write_error);
  }
  EXPECT_EQ(disk.store.calls(Operation::read), 0u);
}

TEST_P(WriteAndVerify, ReportsWhatCannotBeReadBack) {
  disk.store.fail(Operation::read, EIO);
  EXPECT_EQ(disk.send(cdb(0, 0, 1), blocks_of(7, 1)).sense, read_error);
}

}  // namespace

}  // namespace tcmufs::scsi::test
