#include <cerrno>

#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

Bytes log_sense(u8 page, u8 subpage = 0, u16 pointer = 0, u16 length = 255, u8 control = 0x40) {
  return join({{0x4d, 0, static_cast<u8>(control | page), subpage, 0},
               big_endian(pointer, 2),
               big_endian(length, 2),
               {0}});
}

TEST(LogSense, EveryListedPageIsThereWithTheWholeLengthAndNoOther) {
  TestDisk disk;
  const Bytes pairs = disk.ask(log_sense(0x00, 0xff)).data;
  EXPECT_EQ(pairs, (Bytes{0x40, 0xff, 0, 10, 0x00, 0, 0x00, 0xff, 0x0c, 0, 0x0d, 0, 0x2f, 0}));
  EXPECT_EQ(disk.ask(log_sense(0)).data, (Bytes{0, 0, 0, 4, 0x00, 0x0c, 0x0d, 0x2f}));
  for (u8 page = 0; page < 64; ++page) {
    for (const u8 subpage : std::initializer_list<u8>{0x00, 0x01, 0xff}) {
      bool listed = false;
      bool known = false;
      for (std::size_t at = 4; at < pairs.size(); at += 2) {
        known = known || pairs[at] == page;
        listed = listed || (pairs[at] == page && pairs[at + 1] == subpage);
      }
      const Reply reply = disk.ask(log_sense(page, subpage));
      if (!listed) {
        EXPECT_EQ(reply.sense, invalid_field) << +page << " " << +subpage;
        EXPECT_EQ(reply.field(), known ? std::pair(3, -1) : std::pair(2, 5)) << +page << " " << +subpage;
        continue;
      }
      ASSERT_TRUE(reply.good()) << +page << " " << +subpage;
      EXPECT_EQ(reply.data[0] & 0x3f, page);
      EXPECT_EQ((reply.data[0] & 0x40) != 0, subpage != 0);
      EXPECT_EQ(reply.data[1], subpage);
      EXPECT_EQ(number(reply.data, 2, 2), reply.data.size() - 4);
      EXPECT_EQ(disk.ask(log_sense(page, subpage, 0, 4)).data, slice(reply.data, 0, 4));
      EXPECT_EQ(disk.ask(log_sense(page, subpage, 0, 0)).data_in_bytes, 0u);
    }
  }
}

TEST(LogSense, EveryKindOfValueIsTheCurrentOne) {
  TestDisk disk;
  for (const u8 control : std::initializer_list<u8>{0x00, 0x40, 0x80, 0xc0}) {
    EXPECT_EQ(disk.ask(log_sense(0x0d, 0, 0, 255, control)).data,
              (Bytes{0x0d, 0, 0, 12, 0, 0, 3, 2, 0, 0xff, 0, 1, 3, 2, 0, 0xff}));
  }
}

TEST(LogSense, BeginsWithTheParameterAskedForIfThereIsOne) {
  TestDisk disk;
  EXPECT_EQ(disk.ask(log_sense(0x0d, 0, 1)).data, (Bytes{0x0d, 0, 0, 6, 0, 1, 3, 2, 0, 0xff}));
  EXPECT_EQ(disk.ask(log_sense(0x0d, 0, 2)).field(), std::pair(5, -1));
  EXPECT_EQ(disk.ask(log_sense(0x00, 0, 1)).field(), std::pair(5, -1));
  EXPECT_EQ(disk.ask(log_sense(0x2f, 0, 1)).field(), std::pair(5, -1));
  EXPECT_EQ(disk.ask(log_sense(0x0c, 0, 3)).field(), std::pair(5, -1));
  const Bytes both = disk.ask(log_sense(0x0c)).data;
  EXPECT_EQ(disk.ask(log_sense(0x0c, 0, 1)).data, both);
  EXPECT_EQ(disk.ask(log_sense(0x0c, 0, 2)).data, join({{0x8c, 0, 0, 12}, slice(both, 16, 12)}));
}

TEST(LogSense, NoExceptionsAreReported) {
  TestDisk disk;
  EXPECT_EQ(disk.ask(log_sense(0x2f)).data, (Bytes{0x2f, 0, 0, 7, 0, 0, 3, 3, 0, 0, 0xff}));
}

TEST(LogSense, TheParameterListIsNotSaved) {
  TestDisk disk;
  EXPECT_EQ(disk.ask({0x4d, 1, 0, 0, 0, 0, 0, 0, 255, 0}).field(), std::pair(1, 0));
}

struct Resources {
  u64 available;
  u64 used;
  bool operator==(const Resources&) const = default;
};

Resources resources(TestDisk& disk) {
  const Bytes data = disk.ask(log_sense(0x0c)).data;
  EXPECT_EQ(data.size(), 28u);
  EXPECT_EQ(slice(data, 0, 8), (Bytes{0x8c, 0, 0, 24, 0, 1, 3, 8}));
  EXPECT_EQ(slice(data, 12, 8), (Bytes{2, 0, 0, 0, 0, 2, 3, 8}));
  EXPECT_EQ(slice(data, 24, 4), (Bytes{1, 0, 0, 0}));
  return {number(data, 8, 4), number(data, 20, 4)};
}

TEST(LogSense, CountsTheBlocksThatTakeUpSpaceAndThoseThatStillCould) {
  TestDisk disk;
  disk.store.set_available(1024 * 512 + 511);
  EXPECT_EQ(resources(disk), (Resources{1024, 0}));
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 17, 1), blocks_of(1, 1)).good());
  EXPECT_EQ(resources(disk), (Resources{1024, 8}));
  EXPECT_TRUE(disk.send(cdb_16(0x93, 0x09, 16, 8)).good());
  EXPECT_EQ(resources(disk), (Resources{1024, 0}));
  disk.store.set_available(u64{512} << 32);
  EXPECT_EQ(resources(disk), (Resources{0xffffffff, 0})) << "that, or more";
}

TEST(LogSense, ThatCannotAskTheStoreSaysSo) {
  TestDisk disk;
  disk.store.fail(Operation::space, EIO);
  EXPECT_EQ(disk.ask(log_sense(0x0c)).sense, read_error);
}

}  // namespace

}  // namespace tcmufs::scsi::test
