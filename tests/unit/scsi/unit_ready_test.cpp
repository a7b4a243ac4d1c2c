#include <algorithm>
#include <cerrno>

#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

constexpr SenseCode not_started{0x2, 0x04, 0x02};

Bytes start_stop(u8 action) {
  return {0x1b, 0, 0, 0, action, 0};
}
Bytes request_sense(u8 flags = 0, u8 length = 252) {
  return {0x03, flags, 0, 0, length, 0};
}

TEST(TestUnitReady, IsGoodFromTheStart) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
}

TEST(StartStopUnit, AStoppedUnitRefusesTheMediumUntilItIsStarted) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask(start_stop(0)).good());
  EXPECT_EQ(disk.ask(test_unit_ready()).sense, not_started);
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0, 0, 1)).sense, not_started);
  EXPECT_EQ(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).sense, not_started);
  EXPECT_TRUE(disk.ask(inquiry(36)).good());
  EXPECT_TRUE(disk.ask(mode_sense_6(0x3f)).good());
  EXPECT_EQ(sense_code(disk.ask(request_sense()).data), not_started);
  EXPECT_TRUE(disk.ask(start_stop(0)).good());
  EXPECT_TRUE(disk.ask(start_stop(1)).good());
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
}

TEST(StartStopUnit, StoppingMakesWritesStableUnlessToldNotTo) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).good());
  EXPECT_TRUE(disk.ask(start_stop(0x04)).good());
  EXPECT_EQ(disk.store.stable_bytes()[0], 0);
  EXPECT_TRUE(disk.ask(start_stop(1)).good());
  EXPECT_TRUE(disk.ask(start_stop(0)).good());
  EXPECT_EQ(disk.store.stable_bytes()[0], 1);
}

TEST(StartStopUnit, EjectingIsRefusedAndPowerConditionsChangeNothing) {
  TestDisk disk;
  EXPECT_EQ(disk.ask(start_stop(0x02)).field(), std::pair(4, 1));
  const std::vector<u8> known = {0x1, 0x2, 0x3, 0x7, 0xa, 0xb};
  for (u8 condition = 1; condition < 16; ++condition) {
    const Reply reply = disk.ask(start_stop(static_cast<u8>(condition << 4)));
    const bool is_known = std::find(known.begin(), known.end(), condition) != known.end();
    EXPECT_EQ(reply.good(), is_known) << +condition;
    EXPECT_EQ(reply.field(), is_known ? std::pair(-1, -1) : std::pair(4, 7)) << +condition;
    EXPECT_TRUE(disk.ask(test_unit_ready()).good());
  }
}

TEST(RequestSense, HasNothingToSayInEitherFormat) {
  TestDisk disk;
  const Bytes fixed = disk.ask(request_sense()).data;
  ASSERT_EQ(fixed.size(), 18u);
  EXPECT_EQ(fixed[0], 0x70);
  EXPECT_EQ(fixed[7], 10);
  EXPECT_EQ(sense_code(fixed), SenseCode{});
  const Bytes descriptor = disk.ask(request_sense(1)).data;
  EXPECT_EQ(descriptor, (Bytes{0x72, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(RequestSense, TakesAPendingUnitAttentionAway) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
  disk.unit.resize(512);
  const Reply reply = disk.ask(request_sense());
  EXPECT_TRUE(reply.good());
  EXPECT_EQ(sense_code(reply.data), (SenseCode{0x6, 0x2a, 0x09}));
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
}

TEST(UnitAttention, OfSeveralEveryOneIsReportedInAFixedOrder) {
  const std::vector<SenseCode> expected = {{0x6, 0x3f, 0x03}, {0x6, 0x2a, 0x09}, {0x6, 0x2a, 0x01}, {}};
  for (const bool by_request_sense : {false, true}) {
    TestDisk disk;
    EXPECT_TRUE(disk.ask(inquiry(36)).good());
    EXPECT_TRUE(disk.ask(test_unit_ready()).good());
    disk.unit.set_read_only(true);
    disk.unit.resize(default_size * 2);
    disk.unit.set_identity({.uuid = {}, .product = "Other"});
    EXPECT_TRUE(disk.ask(inquiry(36)).good()) << "INQUIRY neither reports them nor takes them away";
    for (const SenseCode& sense : expected) {
      EXPECT_EQ(
          by_request_sense ? sense_code(disk.ask(request_sense()).data) : disk.ask(test_unit_ready()).sense,
          sense);
    }
  }
}

TEST(UnitAttention, ComesBeforeTheMediumIsTouched) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
  disk.unit.resize(default_size * 2);
  EXPECT_EQ(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).sense, (SenseCode{0x6, 0x2a, 0x09}));
  EXPECT_EQ(disk.store.changes(), 0u);
}

TEST(PreventAllow, IsGood) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask({0x1e, 0, 0, 0, 1, 0}).good());
  EXPECT_TRUE(disk.ask({0x1e, 0, 0, 0, 0, 0}).good());
  EXPECT_EQ(disk.ask({0x1e, 0, 0, 0, 4, 0}).sense, invalid_field);
}

TEST(ReportLuns, KnowsLunZero) {
  TestDisk disk;
  const auto report = [](u8 select) {
    return join({{0xa0, 0, select, 0, 0, 0}, big_endian(255, 4), {0, 0}});
  };
  EXPECT_EQ(disk.ask(report(0)).data, join({{0, 0, 0, 8}, Bytes(12)}));
  EXPECT_EQ(disk.ask(report(1)).data, Bytes(8));
  EXPECT_EQ(disk.ask(report(3)).sense, invalid_field);
}

TEST(ReadDefectData, IsAnEmptyListOfTheFormatAskedFor) {
  TestDisk disk;
  EXPECT_EQ(disk.ask({0x37, 0, 0x1d, 0, 0, 0, 0, 0, 255, 0}).data, (Bytes{0, 0x1d, 0, 0}));
  EXPECT_EQ(disk.ask(cdb_12(0xb7, 0x1d, 0, 255)).data, (Bytes{0, 0x1d, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(disk.ask(cdb_12(0xb7, 0x1d, 0, 3)).data, (Bytes{0, 0x1d, 0}));
}

}  // namespace

}  // namespace tcmufs::scsi::test
