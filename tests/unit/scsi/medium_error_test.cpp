#include "scsi/medium_error.h"

#include <cerrno>

#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

/// Runs a command against a disk whose block `bad` is spoilt, with as much data-out as is given.
Reply run_spoilt(u64 bad, const Bytes& cdb, Bytes data) {
  TestDisk disk;
  disk.store.spoil(bad * 512, 512);
  return disk.send(cdb, std::move(data));
}

TEST(MediumError, OfAReadNamesTheFirstBlockThatCannotBeRead) {
  for (const u64 bad : {u64{100}, u64{101}, u64{611}, u64{612}, u64{613}, u64{2123}, u64{2147}}) {
    TestDisk disk;
    disk.store.spoil(bad * 512, 512);
    disk.store.spoil(2200 * 512, 512);
    const Reply reply = disk.ask(cdb_10(0x28, 0, 100, 2048), 2048 * 512);
    EXPECT_EQ(reply.sense, read_error);
    EXPECT_EQ(reply.information(), bad);
    EXPECT_EQ(reply.data_in_bytes, 0u);
  }
}

TEST(MediumError, NamesABlockAlsoOfAReadWithLittleRoom) {
  TestDisk disk;
  disk.store.spoil(101 * 512, 1);
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0, 100, 8), 700).information(), 101u);
  EXPECT_TRUE(disk.ask(cdb_10(0x28, 0, 100, 8), 512).good());
}

TEST(MediumError, IsLookedForWithFewReadsThatFail) {
  TestDisk disk;
  disk.store.spoil(1999 * 512, 512);
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0, 0, 2048), 2048 * 512).information(), 1999u);
  // One of all, four pieces of 512 blocks, and the 464 blocks of the fourth up to the bad one.
  EXPECT_EQ(disk.store.calls(Operation::read), 1u + 4 + 464);
}

TEST(MediumError, ThatIsGoneWhenItIsLookedForNamesNoBlock) {
  for (const u16 blocks : std::initializer_list<u16>{8, 2048}) {
    TestDisk disk;
    disk.store.fail(Operation::read, EIO, 0, 1);
    const Reply reply = disk.ask(cdb_10(0x28, 0, 0, blocks), blocks * 512u);
    EXPECT_EQ(reply.sense, read_error);
    EXPECT_EQ(reply.information(), std::nullopt);
  }
}

TEST(MediumError, OfBlocksOf4096BytesCountsThose) {
  TestDisk disk({.block_size_bytes = 4096, .physical_block_size_bytes = 4096, .size_bytes = default_size});
  disk.store.spoil(77 * 4096 + 512, 512);
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0, 0, 256), 256 * 4096).information(), 77u);
}

TEST(MediumError, OfEveryCommandThatReadsNamesTheBlock) {
  const Bytes none;
  for (const auto& [cdb, data] : std::vector<std::pair<Bytes, Bytes>>{
           {cdb_10(0x2f, 0, 8, 1024), none},
           {cdb_10(0x2f, 0x02, 8, 1024), blocks_of(0, 1024)},
           {cdb_10(0x2f, 0x06, 8, 1024), blocks_of(0, 1)},
           {cdb_16(0x8b, 0, 8, 1024), blocks_of(0, 1024)},
           {join({{0x89, 0}, big_endian(600, 8), {0, 0, 0, 250, 0, 0}}), blocks_of(0, 500)},
       }) {
    const Reply reply = run_spoilt(800, cdb, data);
    EXPECT_EQ(reply.sense, read_error) << +cdb[0];
    EXPECT_EQ(reply.information(), 800u) << +cdb[0];
  }
}

TEST(MediumError, OfEveryCommandThatWritesNamesTheBlock) {
  for (const auto& [cdb, data] : std::vector<std::pair<Bytes, Bytes>>{
           {cdb_10(0x2a, 0, 8, 1024), Bytes(1024 * 512 + 77, 1)},
           {cdb_10(0x2e, 0, 8, 1024), blocks_of(1, 1024)},
           {cdb_10(0x41, 0, 8, 1024), blocks_of(1, 1)},
       }) {
    const Reply reply = run_spoilt(800, cdb, data);
    EXPECT_EQ(reply.sense, write_error) << +cdb[0];
    EXPECT_EQ(reply.information(), 800u) << +cdb[0];
  }
}

TEST(MediumError, OfACompoundWriteNamesTheBlock) {
  const std::vector<std::pair<Bytes, Bytes>> commands = {
      {join({{0x89, 0}, big_endian(8, 8), {0, 0, 0, 2, 0, 0}}), join({blocks_of(0, 2), blocks_of(1, 2)})},
      {cdb_16(0x8b, 0, 8, 2), blocks_of(1, 2)},
  };
  for (const auto& [cdb, data] : commands) {
    TestDisk disk;
    disk.store.fail(Operation::write, EIO, 0, 1);
    EXPECT_EQ(disk.send(cdb, data).information(), std::nullopt) << +cdb[0];
    EXPECT_EQ(disk.store.calls(Operation::write), 3u) << "all at once, then block by block";
    disk.store.fill(0);
    disk.store.fail(Operation::write, EIO);
    const Reply reply = disk.send(cdb, data);
    EXPECT_EQ(reply.sense, write_error) << +cdb[0];
    EXPECT_EQ(reply.information(), 8u) << +cdb[0];
  }
}

TEST(MediumError, IsNotLookedForAfterOtherErrors) {
  TestDisk disk;
  disk.store.fail(Operation::write, ENOSPC);
  const Reply reply = disk.send(cdb_10(0x2a, 0, 0, 8), blocks_of(1, 8));
  EXPECT_EQ(reply.sense, (SenseCode{0x7, 0x27, 0x07}));
  EXPECT_EQ(reply.information(), std::nullopt);
  EXPECT_EQ(disk.store.calls(Operation::write), 1u);
}

TEST(MediumError, OfAFlushNamesNoBlock) {
  TestDisk disk;
  disk.store.fail(Operation::flush, EIO);
  EXPECT_EQ(disk.send(cdb_10(0x2a, 0x08, 0, 8), blocks_of(1, 8)).information(), std::nullopt);
  EXPECT_EQ(disk.store.calls(Operation::write), 1u);
}

TEST(MediumError, CanBeLookedForByAnotherEngineToo) {
  TestDisk disk;
  disk.store.spoil(3 * 512, 512);
  Bytes data(8 * 512);
  const iovec buffer{data.data(), data.size()};
  const std::error_code error{EIO, std::generic_category()};
  const auto information = [&](const Bytes& cdb, LogicalUnit::Step step) {
    const Command command{cdb, {&buffer, 1}};
    const auto plan = std::get<Plan>(disk.unit.start(command));
    const Response response = disk.unit.complete(plan, step, error, command, disk.store);
    EXPECT_EQ(response.status, Status::check_condition);
    return number(response.sense.span(), 3, 4);
  };
  EXPECT_EQ(information(cdb_10(0x28, 0, 0, 8), LogicalUnit::Step::transfer), 3u);
  EXPECT_EQ(information(cdb_10(0x2a, 0, 0, 8), LogicalUnit::Step::transfer), 3u);
  EXPECT_EQ(information(cdb_10(0x28, 0x08, 0, 8), LogicalUnit::Step::flush), 0u);
}

}  // namespace

}  // namespace tcmufs::scsi::test
