#include <cerrno>

#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

struct Stretch {
  u64 lba;
  u64 blocks;
  unsigned status;
  bool operator==(const Stretch&) const = default;
};

Bytes status_cdb(u64 lba, u32 length) {
  return join({{0x9e, 0x12}, big_endian(lba, 8), big_endian(length, 4), {0, 0}});
}

std::vector<Stretch> status(TestDisk& disk, u64 lba, u32 length = 512) {
  const Bytes data = disk.ask(status_cdb(lba, length), length).data;
  std::vector<Stretch> result;
  EXPECT_EQ(number(data, 0, 4), data.size() - 4);
  for (std::size_t at = 8; at + 16 <= data.size(); at += 16) {
    result.push_back({number(data, at, 8), number(data, at + 8, 4), data[at + 12]});
  }
  return result;
}

TEST(GetLbaStatus, TellsMappedBlocksFromHoles) {
  TestDisk disk;
  EXPECT_EQ(status(disk, 0), (std::vector<Stretch>{{0, default_blocks, 1}}));
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 17, 1), blocks_of(1, 1)).good());
  EXPECT_EQ(status(disk, 0), (std::vector<Stretch>{{0, 16, 1}, {16, 8, 0}, {24, default_blocks - 24, 1}}));
  EXPECT_EQ(status(disk, 20), (std::vector<Stretch>{{20, 4, 0}, {24, default_blocks - 24, 1}}));
  EXPECT_EQ(status(disk, 20, 24), (std::vector<Stretch>{{20, 4, 0}}));
}

TEST(GetLbaStatus, ABlockThatIsAHoleInPartIsMapped) {
  TestDisk disk({.block_size_bytes = 4096, .physical_block_size_bytes = 4096, .size_bytes = default_size});
  MemoryStore fine(default_size, 1024);
  const u8 byte = 1;
  const iovec one{const_cast<u8*>(&byte), 1};
  EXPECT_FALSE(fine.write(4096 + 1024, {&one, 1}));
  Bytes data(512);
  const iovec room{data.data(), data.size()};
  const Bytes cdb = status_cdb(0, 512);
  const Command command{cdb, {&room, 1}};
  const auto plan = std::get<Plan>(disk.unit.start(command));
  EXPECT_EQ(disk.unit.execute(plan, command, fine).data_in_bytes, 8u + 3 * 16);
  EXPECT_EQ(number(data, 8 + 8, 4), 1u);
  EXPECT_EQ(data[8 + 12], 1);
  EXPECT_EQ(number(data, 24 + 8, 4), 1u);
  EXPECT_EQ(data[24 + 12], 0);
  EXPECT_EQ(number(data, 40 + 8, 4), default_size / 4096 - 2);
}

TEST(GetLbaStatus, ABlockThatIsAHoleInPartBelongsToItsMappedNeighbours) {
  TestDisk disk({.block_size_bytes = 4096, .physical_block_size_bytes = 4096, .size_bytes = default_size});
  MemoryStore fine(default_size, 1024);
  Bytes data(4096, 1);
  const iovec block{data.data(), data.size()};
  const iovec quarter{data.data(), 1024};
  EXPECT_FALSE(fine.write(0, {&block, 1}));
  EXPECT_FALSE(fine.write(4096 + 3 * 1024, {&quarter, 1}));
  EXPECT_FALSE(fine.write(2 * 4096, {&quarter, 1}));
  Bytes room(512);
  const iovec buffer{room.data(), room.size()};
  const Bytes cdb = status_cdb(0, 512);
  const Command command{cdb, {&buffer, 1}};
  const auto plan = std::get<Plan>(disk.unit.start(command));
  EXPECT_EQ(disk.unit.execute(plan, command, fine).data_in_bytes, 8u + 2 * 16);
  EXPECT_EQ(number(room, 8 + 8, 4), 3u);
  EXPECT_EQ(room[8 + 12], 0);
  EXPECT_EQ(number(room, 24, 8), 3u);
  EXPECT_EQ(room[24 + 12], 1);
}

TEST(GetLbaStatus, ThatCannotAskTheStoreSaysSo) {
  TestDisk disk;
  disk.store.fail(Operation::extent, EIO);
  EXPECT_EQ(disk.ask(status_cdb(0, 24)).sense, read_error);
}

TEST(GetLbaStatus, OfADiskOfAlternatingBlocksLooksAtABoundedNumberOfThem) {
  TestDisk disk({.block_size_bytes = 4096, .physical_block_size_bytes = 4096, .size_bytes = default_size});
  MemoryStore fine(default_size, 2048);
  Bytes data(2048, 1);
  const iovec half{data.data(), data.size()};
  for (u64 block = 0; block < 1000; ++block) EXPECT_FALSE(fine.write(block * 4096, {&half, 1}));
  Bytes room(512);
  const iovec buffer{room.data(), room.size()};
  const Bytes cdb = status_cdb(0, 512);
  const Command command{cdb, {&buffer, 1}};
  const auto plan = std::get<Plan>(disk.unit.start(command));
  EXPECT_EQ(disk.unit.execute(plan, command, fine).data_in_bytes, 8u + 16);
  EXPECT_EQ(number(room, 8 + 8, 4), 256u) << "all mapped, as far as it has looked";
  EXPECT_EQ(fine.calls(Operation::extent), 256u);
}

TEST(GetLbaStatus, ChecksItsStartAndTruncates) {
  TestDisk disk;
  EXPECT_EQ(disk.ask(status_cdb(default_blocks, 24)).sense, out_of_range);
  EXPECT_EQ(disk.ask(status_cdb(default_blocks - 1, 7)).data.size(), 7u);
  EXPECT_EQ(disk.ask(status_cdb(0, 0)).data_in_bytes, 0u);
}

TEST(GetLbaStatus, ManyStretchesEndAtALimitNotInTheMiddleOfALie) {
  TestDisk disk;
  for (u32 lba = 0; lba < 4096; lba += 16)
    EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, lba, 1), blocks_of(1, 1)).good());
  const auto stretches = status(disk, 0, 65535);
  EXPECT_EQ(stretches.size(), 64u);
  u64 next = 0;
  for (const Stretch& stretch : stretches) {
    EXPECT_EQ(stretch.lba, next);
    EXPECT_EQ(stretch.blocks, 8u);
    EXPECT_EQ(stretch.status, stretch.lba % 16 == 0 ? 0u : 1u);
    next += stretch.blocks;
  }
}

}  // namespace

}  // namespace tcmufs::scsi::test
