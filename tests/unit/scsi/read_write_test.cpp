#include <cerrno>

#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

constexpr u8 fua = 0x08;
constexpr u8 dpo = 0x10;

TEST(Read6, LengthZeroMeans256Blocks) {
  TestDisk disk;
  disk.store.fill(7);
  const Reply reply = disk.ask(cdb_6(0x08, 1, 0), 257 * 512);
  EXPECT_TRUE(reply.good());
  EXPECT_EQ(reply.data, blocks_of(7, 256));
}

TEST(Write6, LengthZeroMeans256Blocks) {
  TestDisk disk;
  EXPECT_EQ(disk.send(cdb_6(0x0a, 0, 0), blocks_of(1, 255)).sense, invalid_field);
  EXPECT_TRUE(disk.send(cdb_6(0x0a, 0, 0), blocks_of(1, 256)).good());
  EXPECT_EQ(slice(disk.store.bytes(), 0, 256 * 512), blocks_of(1, 256));
  EXPECT_EQ(disk.store.bytes()[256 * 512], 0);
}

TEST(Read, EveryLengthOfCdbReadsWhatEveryOtherWrote) {
  const auto cdb = [](u8 six, u64 lba) -> Bytes {
    switch (six >> 5) {
      case 0:
        return cdb_6(six, static_cast<u32>(lba), 2);
      case 1:
        return cdb_10(six, 0, static_cast<u32>(lba), 2);
      case 4:
        return cdb_16(six, 0, lba, 2);
      default:
        return cdb_12(six, 0, static_cast<u32>(lba), 2);
    }
  };
  TestDisk disk;
  u8 pattern = 1;
  for (const u8 writing : std::initializer_list<u8>{0x0a, 0x2a, 0xaa, 0x8a}) {
    for (const u8 reading : std::initializer_list<u8>{0x08, 0x28, 0xa8, 0x88}) {
      ++pattern;
      EXPECT_TRUE(disk.send(cdb(writing, pattern * 5), blocks_of(pattern, 2)).good());
      EXPECT_EQ(disk.ask(cdb(reading, pattern * 5), 1024).data, blocks_of(pattern, 2));
      EXPECT_EQ(disk.ask(cdb(reading, pattern * 5 + 2), 1024).data, blocks_of(0, 2));
    }
  }
}

TEST(Read, IsRefusedWithTheFirstBadBlockIfAnyBlockIsBeyondTheEnd) {
  TestDisk disk;
  const Reply across = disk.ask(cdb_10(0x28, 0, default_blocks - 1, 2), 1024);
  EXPECT_EQ(across.sense, out_of_range);
  EXPECT_EQ(across.information(), default_blocks);
  EXPECT_EQ(across.data_in_bytes, 0);
  const Reply beyond = disk.ask(cdb_10(0x28, 0, 0x80000000, 1), 1024);
  EXPECT_EQ(beyond.sense, out_of_range);
  EXPECT_EQ(beyond.information(), 0x80000000);
  EXPECT_EQ(disk.store.calls(Operation::read), 0u);
}

TEST(Read, AddressesThatWrapAreRefused) {
  TestDisk disk;
  EXPECT_EQ(disk.ask(cdb_16(0x88, 0, ~u64{0}, 1)).sense, out_of_range);
  EXPECT_EQ(disk.ask(cdb_16(0x88, 0, ~u64{0}, 0xffffffff)).sense, out_of_range);
  EXPECT_EQ(disk.ask(cdb_16(0x88, 0, u64{1} << 55, 1)).sense, out_of_range);
  EXPECT_EQ(disk.ask(cdb_16(0x88, 0, default_blocks - 1, 0xffffffff)).sense, out_of_range);
}

TEST(Read, NoBlocksAtTheEndAreGoodAndOneBlockFurtherAreNot) {
  TestDisk disk;
  const Reply reply = disk.ask(cdb_10(0x28, 0, default_blocks, 0));
  EXPECT_TRUE(reply.good());
  EXPECT_EQ(reply.data_in_bytes, 0);
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0, default_blocks + 1, 0)).sense, out_of_range);
  EXPECT_EQ(disk.send(cdb_10(0x2a, 0, default_blocks + 1, 0)).sense, out_of_range);
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, default_blocks, 0)).good());
}

TEST(Read, MoreThanTheMaximumTransferLengthIsRefused) {
  LogicalUnit unit({},
                   {.block_size_bytes = 512, .physical_block_size_bytes = 512, .size_bytes = u64{1} << 30});
  Bytes room(512);
  const iovec buffer{room.data(), room.size()};
  const Bytes most = cdb_16(0x88, 0, 0, 16384);
  EXPECT_TRUE(std::holds_alternative<Plan>(unit.start({most, {&buffer, 1}})));
  const Bytes more = cdb_16(0x88, 0, 0, 16385);
  const auto refusal = std::get<Response>(unit.start({more, {&buffer, 1}}));
  EXPECT_EQ(sense_code(refusal.sense.span()), invalid_field);
  EXPECT_EQ(number(refusal.sense.span(), 16, 2), 10u);
}

TEST(Read, AShortBufferIsFilledAndALongOneNotTouchedBeyondTheBlocks) {
  TestDisk disk;
  disk.store.fill(9);
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0, 0, 2), 700).data, Bytes(700, 9));
  const PiecedBuffer buffer(Bytes(2000, 0xee));
  const Bytes cdb = cdb_10(0x28, 0, 0, 2);
  EXPECT_EQ(disk.run({cdb, buffer.pieces()}).data_in_bytes, 1024u);
  EXPECT_EQ(buffer.bytes(), join({Bytes(1024, 9), Bytes(976, 0xee)}));
}

TEST(Read, WithoutAnyBufferTransfersNothing) {
  TestDisk disk;
  const Reply reply = disk.ask(cdb_10(0x28, 0, 0, 1), 0);
  EXPECT_TRUE(reply.good());
  EXPECT_EQ(reply.data_in_bytes, 0);
}

TEST(Write, AShortBufferWritesNothing) {
  TestDisk disk;
  EXPECT_EQ(disk.send(cdb_10(0x2a, 0, 0, 2), Bytes(1023, 1)).sense, invalid_field);
  EXPECT_EQ(disk.store.changes(), 0u);
}

TEST(Write, WhatIsTooMuchInTheBufferIsIgnored) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 3, 1), Bytes(5000, 1)).good());
  EXPECT_EQ(slice(disk.store.bytes(), 2 * 512, 3 * 512),
            join({blocks_of(0, 1), blocks_of(1, 1), blocks_of(0, 1)}));
}

TEST(Write, ForcedUnitAccessIsStableWhenItIsAnswered) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).good());
  EXPECT_EQ(disk.store.stable_bytes()[0], 0);
  EXPECT_TRUE(disk.send(cdb_10(0x2a, fua | dpo, 1, 1), blocks_of(2, 1)).good());
  EXPECT_EQ(disk.store.stable_bytes()[0], 1);
  EXPECT_EQ(disk.store.stable_bytes()[512], 2);
}

TEST(Read, ForcedUnitAccessWritesTheCacheBackFirst) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).good());
  EXPECT_EQ(disk.ask(cdb_10(0x28, fua, 0, 1), 512).data, blocks_of(1, 1));
  EXPECT_EQ(disk.store.stable_bytes()[0], 1);
}

TEST(Read, ProtectionIsRefusedAtItsBit) {
  TestDisk disk;
  for (unsigned protect = 1; protect < 8; ++protect) {
    const Reply reply = disk.ask(cdb_10(0x28, static_cast<u8>(protect << 5), 0, 1));
    EXPECT_EQ(reply.sense, invalid_field);
    EXPECT_EQ(reply.field(), std::pair(1, protect >= 4 ? 7 : protect >= 2 ? 6 : 5));
  }
}

TEST(Read, AnErrorOfTheStoreIsAnUnrecoveredReadError) {
  TestDisk disk;
  disk.store.fail(Operation::read, EIO);
  const Reply reply = disk.ask(cdb_10(0x28, 0, 0, 1));
  EXPECT_EQ(reply.sense, read_error);
  EXPECT_EQ(reply.data_in_bytes, 0);
}

TEST(Write, ErrorsOfTheStoreSayWhatTheyAre) {
  const std::vector<std::pair<int, SenseCode>> errors = {
      {EIO, write_error},         {ENOSPC, {0x7, 0x27, 0x07}}, {EDQUOT, {0x7, 0x27, 0x07}},
      {EROFS, {0x7, 0x27, 0x00}}, {ENOMEM, {0xb, 0x00, 0x00}}, {EAGAIN, {0xb, 0x00, 0x00}},
      {EBADF, {0x4, 0x44, 0x00}}};
  for (const auto& [error, sense] : errors) {
    TestDisk disk;
    disk.store.fail(Operation::write, error);
    EXPECT_EQ(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).sense, sense) << error;
  }
}

TEST(Write, CountsAsAChangeOfTheMediumEvenIfItFails) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask(cdb_10(0x28, 0, 0, 1)).good());
  EXPECT_FALSE(disk.send(cdb_10(0x2a, 0, default_blocks, 1), blocks_of(1, 1)).good());
  EXPECT_EQ(disk.unit.medium_changes(), 0u);
  disk.store.fail(Operation::write, EIO);
  EXPECT_FALSE(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).good());
  EXPECT_EQ(disk.unit.medium_changes(), 1u);
}

TEST(Write, AReadOnlyUnitRefusesEveryCommandThatWrites) {
  TestDisk disk;
  disk.unit.set_read_only(true);
  for (const u8 opcode : std::initializer_list<u8>{0x2a, 0x2e, 0x41}) {
    EXPECT_EQ(disk.send(cdb_10(opcode, 0, 0, 1), blocks_of(1, 1)).sense, (SenseCode{0x7, 0x27, 0x00}))
        << +opcode;
  }
  for (const u8 opcode : std::initializer_list<u8>{0x89, 0x8a, 0x8b, 0x8e, 0x93}) {
    EXPECT_EQ(disk.send(cdb_16(opcode, 0, 0, 0), blocks_of(1, 1)).sense, (SenseCode{0x7, 0x27, 0x00}))
        << +opcode;
  }
  EXPECT_EQ(disk.send({0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0}).sense, (SenseCode{0x7, 0x27, 0x00}));
  EXPECT_TRUE(disk.ask(cdb_10(0x28, 0, 0, 1)).good());
  EXPECT_TRUE(disk.send(synchronize_cache()).good());
}

TEST(SynchronizeCache, MakesEveryWriteStable) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 5, 1), blocks_of(1, 1)).good());
  EXPECT_TRUE(disk.send(synchronize_cache()).good());
  EXPECT_EQ(disk.store.stable_bytes(), disk.store.bytes());
}

TEST(SynchronizeCache, ChecksItsRange) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(cdb_10(0x35, 0x02, default_blocks, 0)).good());
  EXPECT_EQ(disk.send(cdb_10(0x35, 0, default_blocks + 1, 0)).sense, out_of_range);
  EXPECT_EQ(disk.send(cdb_16(0x91, 0, default_blocks - 1, 2)).sense, out_of_range);
  EXPECT_TRUE(disk.send(cdb_16(0x91, 0, 0, default_blocks)).good());
}

TEST(SynchronizeCache, FailsForEverOnceAFlushHasFailed) {
  TestDisk disk;
  disk.store.fail(Operation::flush, EIO, 0, 1);
  EXPECT_EQ(disk.send(synchronize_cache()).sense, write_error);
  EXPECT_EQ(disk.send(synchronize_cache()).sense, write_error);
  EXPECT_EQ(disk.send(cdb_10(0x2a, fua, 0, 1), blocks_of(1, 1)).sense, write_error);
  EXPECT_EQ(disk.ask(cdb_10(0x28, fua, 0, 1)).sense, write_error);
  EXPECT_EQ(disk.send(cdb_10(0x2e, 0, 0, 1), blocks_of(1, 1)).sense, write_error);
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).good());
  EXPECT_TRUE(disk.ask(cdb_10(0x28, 0, 0, 1)).good());
}

TEST(SynchronizeCache, FailsForEverAlsoOnceTheFlushOfACompoundCommandHasFailed) {
  TestDisk disk;
  disk.store.fail(Operation::flush, EIO, 0, 1);
  EXPECT_EQ(disk.send(cdb_16(0x8b, fua, 0, 1), blocks_of(1, 1)).sense, write_error);
  EXPECT_EQ(disk.send(synchronize_cache()).sense, write_error);
}

TEST(Complete, AFailedFlushOfAnotherEngineIsRememberedToo) {
  TestDisk disk;
  const Bytes cdb = synchronize_cache();
  const auto plan = std::get<Plan>(disk.unit.start({cdb, {}}));
  EXPECT_EQ(plan.kind, Plan::Kind::flush);
  const auto failed = disk.unit.complete(plan, LogicalUnit::Step::flush, {EIO, std::generic_category()});
  EXPECT_EQ(failed.status, Status::check_condition);
  EXPECT_TRUE(std::holds_alternative<Response>(disk.unit.start({cdb, {}})));
  EXPECT_EQ(disk.send(synchronize_cache()).sense, write_error);
  EXPECT_EQ(disk.store.calls(Operation::flush), 0u);
}

TEST(Complete, AnErrorOfAnotherEngineIsOneOfReadingWritingOrFlushing) {
  TestDisk disk;
  const std::error_code error{EIO, std::generic_category()};
  const auto refusal = [&](const Bytes& cdb, LogicalUnit::Step step) {
    Bytes data(512);
    const iovec buffer{data.data(), data.size()};
    const auto plan = std::get<Plan>(disk.unit.start({cdb, {&buffer, 1}}));
    return sense_code(disk.unit.complete(plan, step, error).sense.span());
  };
  EXPECT_EQ(refusal(cdb_10(0x28, 0, 0, 1), LogicalUnit::Step::transfer), read_error);
  EXPECT_EQ(refusal(cdb_10(0x2a, 0, 0, 1), LogicalUnit::Step::transfer), write_error);
  EXPECT_EQ(disk.store.calls(Operation::read) + disk.store.calls(Operation::write), 0u);
  EXPECT_EQ(refusal(cdb_10(0x28, fua, 0, 1), LogicalUnit::Step::flush), write_error);
}

TEST(Plan, OfAWriteIsItsBytesAndNoMoreOfTheBuffer) {
  TestDisk disk;
  Bytes data(1500);
  const iovec buffer{data.data(), data.size()};
  const Bytes cdb = cdb_10(0x2a, fua, 3, 2);
  const Command command{cdb, {&buffer, 1}};
  const auto plan = std::get<Plan>(disk.unit.start(command));
  EXPECT_EQ(plan.kind, Plan::Kind::write);
  EXPECT_TRUE(plan.flush);
  EXPECT_EQ(plan.range.offset_bytes(), 3 * 512u);
  EXPECT_EQ(plan.range.length_bytes(), 1024u);
  ASSERT_EQ(plan.buffer(command.buffer).size(), 1u);
  EXPECT_EQ(plan.buffer(command.buffer)[0].iov_len, 1024u);
}

TEST(PreFetch, ChecksItsRangeAndDoesNothing) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(cdb_10(0x34, 0x02, 0, 1)).good());
  EXPECT_TRUE(disk.send(cdb_16(0x90, 0, default_blocks, 0)).good());
  EXPECT_EQ(disk.send(cdb_10(0x34, 0, default_blocks - 1, 2)).sense, out_of_range);
  EXPECT_EQ(disk.send(cdb_16(0x90, 0, ~u64{0}, 1)).sense, out_of_range);
}

TEST(Disk, WithBlocksOf4096Bytes) {
  TestDisk disk({.block_size_bytes = 4096, .physical_block_size_bytes = 4096, .size_bytes = 1 << 20});
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 255, 1), blocks_of(5, 1, 4096)).good());
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0, 255, 1), 4096).data, blocks_of(5, 1, 4096));
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0, 256, 1), 4096).sense, out_of_range);
}

}  // namespace

}  // namespace tcmufs::scsi::test
