#include <algorithm>

#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

std::string text(const Bytes& bytes, std::size_t offset, std::size_t length) {
  const Bytes part = slice(bytes, offset, length);
  return {part.begin(), part.end()};
}

Uuid some_uuid() {
  return *Uuid::parse("01234567-89ab-cdef-0123-456789abcdef");
}

TEST(Inquiry, SaysDirectAccessSpc4WithPaddedNames) {
  TestDisk disk;
  const Bytes data = disk.ask(inquiry(255)).data;
  ASSERT_EQ(data.size(), 96u);
  EXPECT_EQ(data[0], 0);
  EXPECT_EQ(data[1], 0);
  EXPECT_EQ(data[2], 6);
  EXPECT_EQ(data[3] & 0x0f, 2);
  EXPECT_EQ(data[4], 96 - 5);
  EXPECT_EQ(data[5], 0);
  EXPECT_EQ(data[7], 0x02);
  EXPECT_EQ(text(data, 8, 28), "TCMUFS  Virtual Disk    0001");
  EXPECT_EQ(number(data, 58, 2), 0x00a0u);
  EXPECT_EQ(number(data, 60, 2), 0x0460u);
  EXPECT_EQ(number(data, 62, 2), 0x04c0u);
}

TEST(Inquiry, NamesAreCutAndMadePrintable) {
  Identity identity;
  identity.vendor = "longer than eight";
  identity.product = "tab\there \x7f\xc3~";
  LogicalUnit unit(identity, {.size_bytes = default_size});
  Bytes data(96);
  const iovec buffer{data.data(), data.size()};
  const Bytes cdb = inquiry(96);
  EXPECT_EQ(std::get<Response>(unit.start({cdb, {&buffer, 1}})).status, Status::good);
  EXPECT_EQ(text(data, 8, 28), "longer ttab here   ~    0001");
}

TEST(Inquiry, EveryAllocationLengthTruncatesAndLengthFieldsSayTheWhole) {
  TestDisk disk;
  const Bytes whole = disk.ask(inquiry(255)).data;
  for (u16 length = 0; length < 300; ++length) {
    const Reply reply = disk.ask(inquiry(length), 300);
    EXPECT_TRUE(reply.good());
    EXPECT_EQ(reply.data, slice(whole, 0, std::min<std::size_t>(length, whole.size())));
  }
  EXPECT_EQ(disk.ask(inquiry(0x1000), 300).data, whole);
  EXPECT_EQ(disk.ask(inquiry(96), 10).data, slice(whole, 0, 10));
}

TEST(Inquiry, APageCodeWithoutEvpdIsRefused) {
  TestDisk disk;
  const Reply reply = disk.ask({0x12, 0, 0x80, 0, 255, 0});
  EXPECT_EQ(reply.sense, invalid_field);
  EXPECT_EQ(reply.field(), std::pair(2, 7));
}

// Linux' first to a target, of whichever LUN: refused, that LUN would never be found.
TEST(Inquiry, TheLunOfScsi2InTheCdbIsNoObstacle) {
  TestDisk disk;
  for (const u8 lun : std::initializer_list<u8>{1, 5, 7}) {
    EXPECT_TRUE(disk.ask({0x12, static_cast<u8>(lun << 5), 0, 0, 36, 0}).good());
    EXPECT_TRUE(disk.ask({0x12, static_cast<u8>(lun << 5 | 1), 0x83, 0, 36, 0}).good());
  }
}

TEST(Inquiry, CmdDtIsRefused) {
  TestDisk disk;
  const Reply reply = disk.ask({0x12, 2, 0, 0, 255, 0});
  EXPECT_EQ(reply.sense, invalid_field);
  EXPECT_EQ(reply.field(), std::pair(1, 1));
}

TEST(Vpd, EveryListedPageIsThereAndNoOther) {
  TestDisk disk;
  const Bytes list = disk.ask(inquiry_page(0)).data;
  const Bytes listed = slice(list, 4, list.size() - 4);
  EXPECT_EQ(number(list, 2, 2), listed.size());
  EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end()));
  EXPECT_EQ(listed, (Bytes{0x00, 0x80, 0x83, 0x86, 0xb0, 0xb1, 0xb2}));
  for (unsigned page = 0; page < 256; ++page) {
    const Reply reply = disk.ask(inquiry_page(static_cast<u8>(page)));
    if (std::find(listed.begin(), listed.end(), page) == listed.end()) {
      EXPECT_EQ(reply.sense, invalid_field);
      continue;
    }
    ASSERT_TRUE(reply.good());
    EXPECT_EQ(reply.data[1], page);
    EXPECT_EQ(number(reply.data, 2, 2), reply.data.size() - 4);
    EXPECT_EQ(disk.ask(inquiry_page(static_cast<u8>(page), 4)).data, slice(reply.data, 0, 4));
  }
}

TEST(Vpd, ADesignatorOfItsOwnTakesThePlaceOfTheUuids) {
  const std::vector<u8> naa5 = {0x50, 0x01, 0x40, 0x50, 0xfe, 0xdc, 0xba, 0x98};
  LogicalUnit unit({.uuid = some_uuid(), .naa = naa5}, {.size_bytes = default_size});
  Bytes data(255);
  const iovec buffer{data.data(), data.size()};
  const Bytes cdb = inquiry_page(0x83);
  EXPECT_EQ(std::get<Response>(unit.start({cdb, {&buffer, 1}})).status, Status::good);
  EXPECT_EQ(slice(data, 4, 4), (Bytes{0x01, 0x03, 0, 8}));
  EXPECT_EQ(slice(data, 8, 8), naa5);
  EXPECT_EQ(naa_name({.uuid = some_uuid(), .naa = naa5}), "naa.50014050fedcba98");
}

TEST(Vpd, SerialNumberAndDesignatorsComeFromTheUuid) {
  LogicalUnit unit({.uuid = some_uuid()}, {.size_bytes = default_size});
  const auto page = [&unit](u8 code) {
    Bytes data(255);
    const iovec buffer{data.data(), data.size()};
    const Bytes cdb = inquiry_page(code);
    const auto response = std::get<Response>(unit.start({cdb, {&buffer, 1}}));
    data.resize(response.data_in_bytes.value_or(0));
    return data;
  };
  const std::string serial = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(text(page(0x80), 4, 32), serial);

  const Bytes identification = page(0x83);
  EXPECT_EQ(slice(identification, 4, 4), (Bytes{0x01, 0x03, 0, 16}));
  EXPECT_EQ(number(identification, 8, 8), 0x6001405012345678u);
  EXPECT_EQ(number(identification, 16, 8), 0x9abcdef012345678u);
  EXPECT_EQ(slice(identification, 24, 4), (Bytes{0x02, 0x01, 0, 40}));
  EXPECT_EQ(text(identification, 28, 40), "TCMUFS  " + serial);
  EXPECT_EQ(naa_name(some_uuid()), "naa.60014050123456789abcdef012345678");
}

TEST(Vpd, ASerialNumberThatIsGivenTakesTheUuidsPlace) {
  LogicalUnit unit({.uuid = some_uuid(), .serial = "S 1"}, {.size_bytes = default_size});
  const auto page = [&unit](u8 code) {
    Bytes data(255);
    const iovec buffer{data.data(), data.size()};
    const Bytes cdb = inquiry_page(code);
    data.resize(std::get<Response>(unit.start({cdb, {&buffer, 1}})).data_in_bytes.value_or(0));
    return data;
  };
  EXPECT_EQ(page(0x80), (Bytes{0, 0x80, 0, 3, 'S', ' ', '1'}));
  const Bytes identification = page(0x83);
  EXPECT_EQ(number(identification, 8, 8), 0x6001405012345678u) << "the identity stays";
  EXPECT_EQ(slice(identification, 24, 4), (Bytes{0x02, 0x01, 0, 11}));
  EXPECT_EQ(text(identification, 28, 11), "TCMUFS  S 1");
  unit.set_identity({.uuid = some_uuid(), .vendor = "ACME"});
  EXPECT_EQ(text(page(0x83), 28, 11), "ACME    S 1");
}

TEST(Vpd, BlockLimitsFollowTheFormat) {
  TestDisk disk;
  const Bytes small = disk.ask(inquiry_page(0xb0)).data;
  ASSERT_EQ(small.size(), 64u);
  EXPECT_EQ(number(small, 6, 2), 8u);
  EXPECT_EQ(number(small, 8, 4), 16384u);
  EXPECT_EQ(number(small, 12, 4), 2048u);
  EXPECT_EQ(number(small, 20, 4), 1u << 20);
  EXPECT_EQ(number(small, 24, 4), 256u);
  EXPECT_EQ(number(small, 28, 4), 8u);
  EXPECT_EQ(number(small, 36, 8), 32768u);
  EXPECT_EQ(number(small, 32, 4), 0x80000000u);
  EXPECT_EQ(number(small, 44, 4), 0u);

  TestDisk big({.block_size_bytes = 4096, .physical_block_size_bytes = 4096, .size_bytes = default_size});
  const Bytes large = big.ask(inquiry_page(0xb0)).data;
  EXPECT_EQ(number(large, 6, 2), 1u);
  EXPECT_EQ(number(large, 8, 4), 2048u);
  EXPECT_EQ(number(large, 12, 4), 256u);
  EXPECT_EQ(number(large, 20, 4), 131072u);
  EXPECT_EQ(number(large, 28, 4), 1u);
  EXPECT_EQ(number(large, 36, 8), 4096u);
}

u64 unmap_granularity(u32 block, u32 physical, u32 unit) {
  TestDisk disk({.block_size_bytes = block,
                 .physical_block_size_bytes = physical,
                 .size_bytes = default_size,
                 .allocation_unit_bytes = unit});
  return number(disk.ask(inquiry_page(0xb0)).data, 28, 4);
}

TEST(Vpd, UnmapGranularityIsThePhysicalBlockOrTheStoresUnitIfThatIsMore) {
  EXPECT_EQ(unmap_granularity(512, 4096, 1), 8u);
  EXPECT_EQ(unmap_granularity(512, 512, 4096), 8u);
  EXPECT_EQ(unmap_granularity(512, 4096, 65536), 128u);
  EXPECT_EQ(unmap_granularity(4096, 4096, 1u << 20), 256u);
  EXPECT_EQ(unmap_granularity(4096, 8192, 4096), 2u);
}

TEST(Vpd, NamesThatChangeAreSaidByInquiryAndAnnouncedOnce) {
  TestDisk disk;
  Identity other{.uuid = some_uuid(), .vendor = "ACME", .product = "Other", .revision = "0002"};
  const Bytes serial = disk.ask(inquiry_page(0x80)).data;
  disk.unit.set_identity(other);
  const Bytes data = disk.ask(inquiry(96)).data;
  EXPECT_EQ(text(data, 8, 28), "ACME    Other           0002");
  EXPECT_EQ(text(disk.ask(inquiry_page(0x83)).data, 28, 8), "ACME    ");
  EXPECT_EQ(disk.ask(inquiry_page(0x80)).data, serial) << "another uuid would be another disk";
  EXPECT_EQ(disk.ask(test_unit_ready()).sense, (SenseCode{0x6, 0x3f, 0x03}));
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
  disk.unit.set_identity(other);
  EXPECT_TRUE(disk.ask(test_unit_ready()).good()) << "nothing has changed";
}

TEST(Vpd, NamesThatNobodyHasAskedForChangeWithoutNews) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
  disk.unit.set_identity({.uuid = some_uuid(), .vendor = "ACME"});
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
}

TEST(Vpd, SaysSolidStateAndThin) {
  TestDisk disk;
  EXPECT_EQ(number(disk.ask(inquiry_page(0xb1)).data, 4, 2), 1u);
  const Bytes provisioning = disk.ask(inquiry_page(0xb2)).data;
  EXPECT_EQ(slice(provisioning, 4, 3), (Bytes{0, 0xe4, 2}));
}

}  // namespace

}  // namespace tcmufs::scsi::test
