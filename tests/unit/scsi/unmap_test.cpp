#include <cerrno>

#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

struct Piece {
  u64 lba;
  u32 blocks;
};

Bytes list_of(const std::vector<Piece>& pieces) {
  const auto length = static_cast<u16>(pieces.size() * 16);
  Bytes list = join({big_endian(length + 6u, 2), big_endian(length, 2), Bytes(4)});
  for (const Piece& piece : pieces) {
    list = join({list, big_endian(piece.lba, 8), big_endian(piece.blocks, 4), Bytes(4)});
  }
  return list;
}
Bytes cdb_of(std::size_t length, u8 flags = 0) {
  return join({{0x42, flags, 0, 0, 0, 0, 0}, big_endian(length, 2), {0}});
}
Reply unmap(TestDisk& disk, const std::vector<Piece>& pieces) {
  const Bytes list = list_of(pieces);
  return disk.send(cdb_of(list.size()), list);
}

struct UnmapTest : testing::Test {
  UnmapTest() { disk.store.fill(1); }
  TestDisk disk;
};

TEST_F(UnmapTest, EveryPieceReadsZerosAfterwardsAndNothingElse) {
  EXPECT_TRUE(unmap(disk, {{8, 8}, {100, 3}, {0, 0}, {default_blocks, 0}, {default_blocks - 1, 1}}).good());
  Bytes expected(default_size, 1);
  const auto clear = [&expected](u64 lba, u64 count) {
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(lba * 512), count * 512, u8{0});
  };
  clear(8, 8);
  clear(100, 3);
  clear(default_blocks - 1, 1);
  EXPECT_EQ(disk.store.bytes(), expected);
  EXPECT_EQ(disk.store.calls(Operation::discard), 3u);
}

TEST_F(UnmapTest, OneBadPieceLeavesAllOthersUndone) {
  EXPECT_EQ(unmap(disk, {{0, 8}, {default_blocks, 1}}).sense, out_of_range);
  EXPECT_EQ(unmap(disk, {{0, 8}, {~u64{0}, 2}}).sense, out_of_range);
  EXPECT_EQ(unmap(disk, {{0, 8}, {default_blocks + 1, 0}}).sense, out_of_range);
  EXPECT_EQ(disk.store.calls(Operation::discard), 0u);
}

TEST_F(UnmapTest, AnEmptyListIsGoodAndAHeaderCutOffIsNot) {
  EXPECT_TRUE(disk.send(cdb_of(0)).good());
  EXPECT_TRUE(unmap(disk, {}).good());
  for (std::size_t length = 1; length < 8; ++length) {
    EXPECT_EQ(disk.send(cdb_of(length), Bytes(length)).sense, list_length_error);
  }
  EXPECT_EQ(disk.send(cdb_of(24), Bytes(7)).sense, list_length_error);
  EXPECT_EQ(disk.store.calls(Operation::discard), 0u);
}

TEST_F(UnmapTest, ADescriptorCutOffIsIgnored) {
  const Bytes list = list_of({{0, 8}, {16, 8}});
  EXPECT_TRUE(disk.send(cdb_of(list.size() - 1), list).good());
  EXPECT_EQ(disk.store.bytes()[0], 0);
  EXPECT_EQ(disk.store.bytes()[16 * 512], 1);
}

TEST_F(UnmapTest, AListShorterThanItSaysIsRefused) {
  const Bytes list = list_of({{0, 8}, {16, 8}});
  EXPECT_EQ(disk.send(cdb_of(list.size()), slice(list, 0, list.size() - 1)).sense, list_length_error);
  EXPECT_EQ(disk.store.calls(Operation::discard), 0u);
}

TEST_F(UnmapTest, TooManyDescriptorsOrBlocksAreRefused) {
  EXPECT_TRUE(unmap(disk, std::vector<Piece>(256, Piece{0, 1})).good());
  EXPECT_EQ(unmap(disk, std::vector<Piece>(257, Piece{0, 1})).sense, invalid_parameter);
  EXPECT_EQ(unmap(disk, std::vector<Piece>(256, Piece{0, default_blocks})).sense, invalid_parameter);
  EXPECT_TRUE(unmap(disk, std::vector<Piece>(128, Piece{0, default_blocks})).good());
}

TEST(FullyProvisioned, HasNoCommandThatUnmaps) {
  TestDisk disk({.size_bytes = default_size, .thin = false});
  EXPECT_EQ(unmap(disk, {{0, 8}}).sense, invalid_opcode);
  EXPECT_EQ(disk.ask(join({{0x9e, 0x12}, Bytes(8), big_endian(32, 4), {0, 0}})).sense, invalid_opcode);
  const Reply reply = disk.send(cdb_10(0x41, 0x08, 0, 8), Bytes(512));
  EXPECT_EQ(reply.sense, invalid_field);
  EXPECT_EQ(reply.field(), std::pair(1, 3));
  EXPECT_TRUE(disk.send(cdb_16(0x93, 0, 0, 8), Bytes(512)).good());
  EXPECT_EQ(disk.store.calls(Operation::discard), 0u);
  EXPECT_EQ(disk.store.calls(Operation::zero), 1u);
}

TEST(FullyProvisioned, SaysSoEverywhere) {
  TestDisk disk({.size_bytes = default_size, .thin = false});
  EXPECT_EQ(slice(disk.ask(inquiry_page(0xb2)).data, 4, 4), Bytes(4));
  const Bytes limits = disk.ask(inquiry_page(0xb0)).data;
  EXPECT_EQ(slice(limits, 20, 16), Bytes(16));
  EXPECT_EQ(number(limits, 36, 8), 32768u);
  EXPECT_EQ(slice(disk.ask(read_capacity_16()).data, 14, 2), Bytes(2));
  const auto reported = [&disk](u8 options, u8 opcode, u16 service_action) {
    return disk
        .ask(
            join({{0xa3, 0x0c, options, opcode}, big_endian(service_action, 2), big_endian(4096, 4), {0, 0}}),
            4096)
        .data;
  };
  EXPECT_EQ(reported(1, 0x42, 0), (Bytes{0, 1, 0, 0}));
  EXPECT_EQ(reported(2, 0x9e, 0x12), (Bytes{0, 1, 0, 0}));
  EXPECT_EQ(reported(1, 0x93, 0)[5], 0x01);
  EXPECT_EQ(TestDisk().ask(join({{0xa3, 0x0c, 1, 0x93, 0, 0}, big_endian(4096, 4), {0, 0}})).data[5], 0x09);
  const std::size_t all =
      TestDisk().ask(join({{0xa3, 0x0c}, Bytes(4), big_endian(4096, 4), {0, 0}}), 4096).data.size();
  EXPECT_EQ(reported(0, 0, 0).size(), all - 2 * 8);
}

TEST_F(UnmapTest, AnchoringIsRefused) {
  EXPECT_EQ(disk.send(cdb_of(0, 1)).field(), std::pair(1, 0));
}

TEST_F(UnmapTest, AFailedDiscardIsAWriteError) {
  disk.store.fail(Operation::discard, EIO);
  EXPECT_EQ(unmap(disk, {{0, 8}}).sense, write_error);
}

struct WriteSameTest : testing::Test {
  WriteSameTest() { disk.store.fill(1); }
  TestDisk disk;

  Bytes block(std::size_t lba) const { return slice(disk.store.bytes(), lba * 512, 512); }
};

TEST_F(WriteSameTest, RepeatsTheBlock) {
  Bytes pattern(512);
  for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<u8>(i * 7);
  EXPECT_TRUE(disk.send(cdb_10(0x41, 0, 10, 1000), pattern).good());
  EXPECT_EQ(block(9), blocks_of(1, 1));
  EXPECT_EQ(block(10), pattern);
  EXPECT_EQ(block(522), pattern);
  EXPECT_EQ(block(1009), pattern);
  EXPECT_EQ(block(1010), blocks_of(1, 1));
}

TEST_F(WriteSameTest, ZerosKeepTheirSpaceUnlessUnmapIsAsked) {
  EXPECT_TRUE(disk.send(cdb_10(0x41, 0, 0, 8), blocks_of(0, 1)).good());
  EXPECT_EQ(disk.store.calls(Operation::zero), 1u);
  EXPECT_EQ(disk.store.calls(Operation::discard), 0u);
  EXPECT_TRUE(disk.send(cdb_16(0x93, 0x08, 8, 8), blocks_of(0, 1)).good());
  EXPECT_EQ(disk.store.calls(Operation::discard), 1u);
  EXPECT_EQ(block(7), blocks_of(0, 1));
  EXPECT_EQ(block(15), blocks_of(0, 1));
  EXPECT_EQ(block(16), blocks_of(1, 1));
}

TEST_F(WriteSameTest, UnmapWithDataThatIsNotZeroWritesTheData) {
  EXPECT_TRUE(disk.send(cdb_10(0x41, 0x08, 0, 8), blocks_of(5, 1)).good());
  EXPECT_EQ(block(7), blocks_of(5, 1));
}

TEST_F(WriteSameTest, WithoutDataOutMeansZeros) {
  EXPECT_TRUE(disk.send(cdb_16(0x93, 0x01, 0, 8)).good());
  EXPECT_EQ(block(7), blocks_of(0, 1));
  EXPECT_EQ(disk.send(cdb_10(0x41, 0x01, 0, 8)).field(), std::pair(1, 0));
}

TEST_F(WriteSameTest, NoBlocksAreRefusedAsTheBlockLimitsPageSays) {
  EXPECT_EQ(disk.ask(inquiry_page(0xb0)).data[4], 1);
  for (const u64 lba : {u64{0}, default_blocks - 3, default_blocks, default_blocks + 1}) {
    const Reply ten = disk.send(cdb_10(0x41, 0, static_cast<u32>(lba), 0), blocks_of(5, 1));
    EXPECT_EQ(ten.sense, invalid_field) << lba;
    EXPECT_EQ(ten.field(), std::pair(7, -1)) << lba;
    const Reply sixteen = disk.send(cdb_16(0x93, 0x09, lba, 0));
    EXPECT_EQ(sixteen.sense, invalid_field) << lba;
    EXPECT_EQ(sixteen.field(), std::pair(10, -1)) << lba;
  }
  EXPECT_EQ(disk.store.changes(), 0u);
}

TEST_F(WriteSameTest, ChecksItsRange) {
  EXPECT_EQ(disk.send(cdb_10(0x41, 0, default_blocks, 1), blocks_of(5, 1)).sense, out_of_range);
  EXPECT_EQ(disk.send(cdb_16(0x93, 0, default_blocks - 3, 4), blocks_of(5, 1)).sense, out_of_range);
  EXPECT_TRUE(disk.send(cdb_16(0x93, 0, default_blocks - 3, 3), blocks_of(5, 1)).good());
  EXPECT_EQ(block(default_blocks - 4), blocks_of(1, 1));
  EXPECT_EQ(block(default_blocks - 3), blocks_of(5, 1));
  EXPECT_EQ(block(default_blocks - 1), blocks_of(5, 1));
}

TEST(WriteSame, MoreThanTheMaximumIsRefused) {
  LogicalUnit unit(
      {}, {.block_size_bytes = 512, .physical_block_size_bytes = 4096, .size_bytes = u64{513} << 20});
  const auto accepted = [&unit](u64 lba, u32 count) {
    const Bytes cdb = cdb_16(0x93, 0x09, lba, count);
    return std::holds_alternative<Plan>(unit.start({cdb, {}}));
  };
  EXPECT_FALSE(accepted(0, (1u << 15) + 1));
  EXPECT_TRUE(accepted(0, 1u << 15));
}

TEST_F(WriteSameTest, TakesExactlyOneBlock) {
  for (const std::size_t length : {0u, 256u, 511u, 513u, 1024u}) {
    EXPECT_EQ(disk.send(cdb_10(0x41, 0, 0, 1), Bytes(length, 5)).sense, invalid_field) << length;
  }
  EXPECT_EQ(disk.store.changes(), 0u);
}

TEST_F(WriteSameTest, AnchorAndObsoleteBitsAreRefused) {
  for (const u8 flags : std::initializer_list<u8>{0x10, 0x18, 0x04, 0x02, 0x20}) {
    EXPECT_EQ(disk.send(cdb_16(0x93, flags, 0, 1), blocks_of(0, 1)).sense, invalid_field) << +flags;
  }
}

}  // namespace

}  // namespace tcmufs::scsi::test
