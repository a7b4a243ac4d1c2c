#include "volume/in_flight.h"

#include <gmock/gmock.h>

namespace tcmufs::volume {
namespace {

using testing::IsEmpty;

using Cdb = std::array<u8, 16>;

TEST(CdbText, SaysOperationAddressAndBlocks) {
  EXPECT_EQ(cdb_text(Cdb{0x08, 0x01, 0x02, 0x03, 5}), "READ(6) lba 66051 blocks 5");
  EXPECT_EQ(cdb_text(Cdb{0x0a, 0, 0, 1, 0}), "WRITE(6) lba 1 blocks 256");
  EXPECT_EQ(cdb_text(Cdb{0x28, 0, 0, 0, 8, 0, 0, 0, 8}), "READ(10) lba 2048 blocks 8");
  EXPECT_EQ(cdb_text(Cdb{0xaa, 0, 0, 0, 8, 0, 0, 1, 0, 0}), "WRITE(12) lba 2048 blocks 65536");
  EXPECT_EQ(cdb_text(Cdb{0x8a, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2}),
            "WRITE(16) lba 72057594037927936 blocks 258");
  EXPECT_EQ(cdb_text(Cdb{0x35}), "SYNCHRONIZE CACHE(10) lba 0 blocks 0");
  EXPECT_EQ(cdb_text(Cdb{0x89, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0xff, 0xff, 0xff, 1}),
            "COMPARE AND WRITE lba 7 blocks 1");
}

TEST(CdbText, HasNoAddressWhereThereIsNoneInTheCdb) {
  EXPECT_EQ(cdb_text(Cdb{0x42, 0, 0, 0, 0, 0, 0, 0, 24}), "UNMAP");
  EXPECT_EQ(cdb_text(Cdb{0x9e, 0x12}), "GET LBA STATUS");
}

TEST(CdbText, UnknownOperationsAreBytes) {
  EXPECT_EQ(cdb_text(Cdb{0xee, 0x0f}), "ee 0f 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
}

TEST(InFlight, TheOldestComesFirst) {
  InFlight in_flight;
  EXPECT_THAT(in_flight.commands(), IsEmpty());
  in_flight.begin(0, Cdb{0x2a, 0, 0, 0, 0, 1, 0, 0, 1}, 7'000'000);
  in_flight.begin(InFlight::capacity - 1, Cdb{0x28, 0, 0, 0, 0, 2, 0, 0, 1}, 2'000'000);
  EXPECT_EQ(in_flight_text(in_flight.commands(), 9'999'999),
            "7 READ(10) lba 2 blocks 1\n2 WRITE(10) lba 1 blocks 1\n");
  in_flight.end(InFlight::capacity - 1);
  EXPECT_EQ(in_flight_text(in_flight.commands(), 0), "0 WRITE(10) lba 1 blocks 1\n");
  in_flight.end(0);
  EXPECT_EQ(in_flight_text(in_flight.commands(), 9'000'000), "");
}

}  // namespace
}  // namespace tcmufs::volume
