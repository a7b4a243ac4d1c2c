#include <cerrno>

#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

constexpr u8 no_descriptors = 0x08;
constexpr u8 changeable = 0x40;
constexpr u8 defaults = 0x80;
constexpr u8 saved = 0xc0;

const Bytes caching_on = {0x08, 18, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
const Bytes caching_off = {0x08, 18, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
const Bytes header_6 = {0, 0, 0, 0};

/// A page alone, without header and block descriptor.
Bytes page(TestDisk& disk, u8 code) {
  const Bytes data = disk.ask(mode_sense_6(code, 255, no_descriptors)).data;
  return data.size() < 4 ? Bytes{} : slice(data, 4, data.size() - 4);
}

Reply select_page(TestDisk& disk, const Bytes& page) {
  const Bytes list = join({header_6, page});
  return disk.send(mode_select_6(static_cast<u8>(list.size())), list);
}

Bytes control_with(u8 flags, u8 protection) {
  return {0x0a, 10, static_cast<u8>(0x02 | flags), 0x10, protection, 0x40, 0, 0, 0xff, 0xff, 0, 0};
}

TEST(ModeSense6, AllPagesComeInOrderWithTheWholeLength) {
  TestDisk disk;
  const Bytes data = disk.ask(mode_sense_6(0x3f)).data;
  EXPECT_EQ(data[0], data.size() - 1);
  EXPECT_EQ(data[2], 0x10);
  EXPECT_EQ(data[3], 8);
  EXPECT_EQ(number(data, 4, 4), default_size / 512);
  EXPECT_EQ(number(data, 9, 3), 512u);
  Bytes codes;
  for (std::size_t at = 12; at < data.size(); at += 2u + data[at + 1]) codes.push_back(data[at]);
  EXPECT_EQ(codes, (Bytes{0x01, 0x08, 0x0a, 0x1c}));
  EXPECT_EQ(disk.ask({0x1a, 0, 0x3f, 0xff, 255, 0}).data, data);
  EXPECT_EQ(disk.ask(mode_sense_6(0x3f, 4)).data, slice(data, 0, 4));
}

TEST(ModeSense6, TheWriteCacheIsAsTheDiskWasMade) {
  TestDisk disk({.block_size_bytes = 512,
                 .physical_block_size_bytes = 4096,
                 .size_bytes = default_size,
                 .write_cache = false});
  EXPECT_EQ(page(disk, 0x08), caching_off);
  EXPECT_EQ(page(disk, 0x08 | defaults), caching_off);
  ASSERT_TRUE(select_page(disk, caching_on).good());
  EXPECT_EQ(page(disk, 0x08), caching_on);
  EXPECT_EQ(page(disk, 0x08 | defaults), caching_off);
}

TEST(ModeSense10, HasLongBlockDescriptorsOnlyIfAccepted) {
  TestDisk disk;
  const auto sense = [](u8 flags) { return Bytes{0x5a, flags, 0x08, 0, 0, 0, 0, 0, 255, 0}; };
  const Bytes plain = disk.ask(sense(0)).data;
  EXPECT_EQ(number(plain, 0, 2), plain.size() - 2);
  EXPECT_EQ(plain[4], 0);
  EXPECT_EQ(number(plain, 6, 2), 8u);
  const Bytes longer = disk.ask(sense(0x10)).data;
  EXPECT_EQ(longer[4], 1);
  EXPECT_EQ(number(longer, 6, 2), 16u);
  EXPECT_EQ(number(longer, 8, 8), default_size / 512);
  EXPECT_EQ(number(longer, 20, 4), 512u);
  const Bytes none = disk.ask(sense(0x18)).data;
  EXPECT_EQ(none[4], 0);
  EXPECT_EQ(none.size(), 8u + 20u);
}

TEST(ModeSense6, KnowsCurrentDefaultAndChangeableButNoSavedValues) {
  TestDisk disk;
  EXPECT_TRUE(select_page(disk, caching_off).good());
  EXPECT_EQ(page(disk, 0x08), caching_off);
  EXPECT_EQ(page(disk, 0x08 | defaults), caching_on);
  EXPECT_EQ(page(disk, 0x08 | changeable)[2], 0x04);
  EXPECT_EQ(page(disk, 0x0a | changeable), (Bytes{0x0a, 10, 0x04, 0, 0x08, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(disk.ask(mode_sense_6(0x08 | saved)).sense, (SenseCode{0x5, 0x39, 0x00}));
}

TEST(ModeSense6, UnknownPagesAndSubpagesAreRefused) {
  TestDisk disk;
  EXPECT_EQ(disk.ask(mode_sense_6(0x02)).sense, invalid_field);
  EXPECT_EQ(disk.ask({0x1a, 0, 0x0a, 1, 255, 0}).sense, invalid_field);
}

TEST(ModeSense6, SaysWriteProtectedWhenReadOnly) {
  TestDisk disk;
  disk.unit.set_read_only(true);
  EXPECT_EQ(disk.ask(mode_sense_6(0x08)).data[2], 0x90);
}

TEST(ReadOnly, ADiskCanBeSoFromTheFirstCommandOn) {
  MemoryStore store(1 << 20);
  LogicalUnit unit(Identity{.uuid = Uuid::random()}, Format{.block_size_bytes = 512,
                                                            .physical_block_size_bytes = 4096,
                                                            .size_bytes = 1 << 20,
                                                            .read_only = true});
  Bytes block(512);
  const iovec piece = {block.data(), block.size()};
  const Bytes cdb = cdb_10(0x2a, 0, 0, 1);
  const auto outcome = unit.start({cdb, std::span(&piece, 1)});
  ASSERT_TRUE(std::holds_alternative<Response>(outcome));
  EXPECT_EQ(sense_code(std::get<Response>(outcome).sense.span()), (SenseCode{0x7, 0x27, 0x00}));
}

TEST(ReadOnly, ChangesRaiseAUnitAttentionOnce) {
  TestDisk disk;
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
  disk.unit.set_read_only(true);
  EXPECT_EQ(disk.ask(test_unit_ready()).sense, (SenseCode{0x6, 0x2a, 0x01}));
  disk.unit.set_read_only(true);
  EXPECT_TRUE(disk.ask(test_unit_ready()).good());
}

TEST(ModeSelect6, WithoutAWriteCacheEveryWriteIsStable) {
  TestDisk disk;
  EXPECT_TRUE(select_page(disk, caching_off).good());
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).good());
  EXPECT_EQ(disk.store.stable_bytes()[0], 1);
  EXPECT_TRUE(disk.send(cdb_10(0x41, 0, 8, 8), blocks_of(2, 1)).good());
  EXPECT_EQ(disk.store.stable_bytes()[8 * 512], 2);
  EXPECT_TRUE(select_page(disk, caching_on).good());
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(3, 1)).good());
  EXPECT_EQ(disk.store.stable_bytes()[0], 1);
}

TEST(ModeSelect6, TurningTheCacheOffMakesWhatIsInItStable) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).good());
  EXPECT_TRUE(select_page(disk, caching_off).good());
  EXPECT_EQ(disk.store.stable_bytes()[0], 1);
}

TEST(ModeSelect6, WriteProtectionMakesWhatIsInTheCacheStable) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).good());
  EXPECT_TRUE(select_page(disk, control_with(0x04, 0)).good());
  EXPECT_EQ(disk.store.stable_bytes()[0], 0);
  EXPECT_TRUE(select_page(disk, control_with(0x04, 0x08)).good());
  EXPECT_EQ(disk.store.stable_bytes()[0], 1);
  EXPECT_TRUE(select_page(disk, control_with(0, 0x08)).good());
  EXPECT_EQ(disk.store.calls(Operation::flush), 1u) << "protected already";
}

TEST(ModeSelect6, ThatCannotFlushTheCacheSaysSo) {
  TestDisk disk;
  disk.store.fail(Operation::flush, EIO);
  EXPECT_EQ(select_page(disk, caching_off).sense, write_error);
}

TEST(ModeSelect6, DescriptorSenseChangesTheFormatOfSense) {
  TestDisk disk;
  EXPECT_TRUE(select_page(disk, control_with(0x04, 0)).good());
  const Reply reply = disk.ask(cdb_16(0x88, 0, u64{1} << 40, 1));
  EXPECT_EQ(reply.sense, out_of_range);
  EXPECT_EQ(reply.sense_bytes[0], 0x72);
  EXPECT_EQ(reply.sense_bytes[7], reply.sense_bytes.size() - 8);
  EXPECT_EQ(slice(reply.sense_bytes, 8, 4), (Bytes{0x00, 0x0a, 0x80, 0}));
  EXPECT_EQ(number(reply.sense_bytes, 12, 8), u64{1} << 40);
  const Reply field = disk.ask(cdb_10(0x28, 0x02, 0, 1));
  EXPECT_EQ(slice(field.sense_bytes, 8, 8), (Bytes{0x02, 0x06, 0, 0, 0xc9, 0, 1, 0}));
  EXPECT_TRUE(select_page(disk, control_with(0, 0)).good());
  EXPECT_EQ(disk.ask(cdb_10(0x28, 0x02, 0, 1)).sense_bytes[0], 0x70);
}

TEST(ModeSelect6, SoftwareWriteProtectIsHonoured) {
  TestDisk disk;
  EXPECT_TRUE(select_page(disk, control_with(0, 0x08)).good());
  EXPECT_EQ(disk.ask(mode_sense_6(0x0a)).data[2], 0x90);
  EXPECT_EQ(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).sense, (SenseCode{0x7, 0x27, 0x02}));
  EXPECT_TRUE(select_page(disk, control_with(0, 0)).good());
  EXPECT_TRUE(disk.send(cdb_10(0x2a, 0, 0, 1), blocks_of(1, 1)).good());
}

TEST(ModeSelect6, WhatCannotChangeIsRefusedAtItsByte) {
  TestDisk disk;
  const Bytes whole = page(disk, 0x3f);
  for (std::size_t at = 0; at < caching_on.size(); ++at) {
    Bytes list = join({header_6, caching_off});
    list[4 + at] = static_cast<u8>(list[4 + at] ^ 0x81);
    const Reply reply = disk.send(mode_select_6(static_cast<u8>(list.size())), list);
    EXPECT_EQ(reply.sense, invalid_parameter) << at;
    EXPECT_EQ(reply.field(), std::pair(static_cast<int>(at + 4), -1));
  }
  EXPECT_EQ(page(disk, 0x3f), whole);
}

TEST(ModeSelect6, ABadSecondPageLeavesTheFirstUndone) {
  TestDisk disk;
  const Bytes list = join({header_6, caching_off, {0x02, 10}, Bytes(10)});
  EXPECT_EQ(disk.send(mode_select_6(static_cast<u8>(list.size())), list).sense, invalid_parameter);
  EXPECT_EQ(page(disk, 0x08), caching_on);
}

TEST(ModeSelect6, AListCutOffAnywhereIsALengthErrorOrWhole) {
  TestDisk disk;
  const Bytes list = join({header_6, caching_off, control_with(0, 0)});
  for (u8 length = 1; length <= list.size(); ++length) {
    const Reply reply = disk.send(mode_select_6(length), slice(list, 0, length));
    const bool whole = length == 4 || length == 24 || length == 36;
    EXPECT_EQ(reply.good(), whole) << +length;
    EXPECT_EQ(reply.sense, whole ? SenseCode{} : list_length_error) << +length;
  }
  EXPECT_TRUE(disk.send(mode_select_6(0)).good());
  EXPECT_EQ(disk.send(mode_select_6(24), slice(list, 0, 23)).sense, list_length_error);
}

TEST(ModeSelect6, SavingAndOtherFormatsAreRefused) {
  TestDisk disk;
  EXPECT_EQ(disk.send(mode_select_6(0, 0x11)).field(), std::pair(1, 0));
  EXPECT_EQ(disk.send(mode_select_6(0, 0x00)).field(), std::pair(1, 4));
}

TEST(ModeSelect6, ABlockDescriptorMayOnlySayWhatIsSo) {
  TestDisk disk;
  const auto select = [&disk](u32 blocks, u32 size) {
    const Bytes list = join({{0, 0, 0, 8}, big_endian(blocks, 4), {0}, big_endian(size, 3)});
    return disk.send(mode_select_6(static_cast<u8>(list.size())), list);
  };
  EXPECT_TRUE(select(default_size / 512, 512).good());
  EXPECT_TRUE(select(0, 512).good());
  EXPECT_EQ(select(1, 512).sense, invalid_parameter);
  EXPECT_EQ(select(0, 4096).sense, invalid_parameter);
}

TEST(ModeSense, OfMoreThan32BitsOfBlocksNeedsTheLongBlockDescriptor) {
  const Format format = {
      .block_size_bytes = 512, .physical_block_size_bytes = 512, .size_bytes = u64{1} << 50};
  LogicalUnit unit({}, format);
  Bytes data(64);
  const iovec buffer{data.data(), data.size()};
  const auto ask = [&](const Bytes& cdb) {
    return std::get<Response>(unit.start({cdb, {&buffer, 1}})).status;
  };
  EXPECT_EQ(ask(mode_sense_6(0x08)), Status::good);
  EXPECT_EQ(number(data, 4, 4), 0xffffffffu);
  EXPECT_EQ(ask({0x5a, 0x10, 0x08, 0, 0, 0, 0, 0, 64, 0}), Status::good);
  EXPECT_EQ(number(data, 8, 8), u64{1} << 41);
}

Reply select_10(TestDisk& disk, const Bytes& list) {
  return disk.send(join({{0x55, 0x10, 0, 0, 0, 0, 0}, big_endian(list.size(), 2), {0}}), list);
}

TEST(ModeSelect10, ALongBlockDescriptorMayOnlySayWhatIsSo) {
  TestDisk disk;
  const auto select = [&disk](u64 blocks, u32 size) {
    const Bytes header = {0, 0, 0, 0, 1, 0, 0, 16};
    return select_10(disk, join({header, big_endian(blocks, 8), Bytes(4), big_endian(size, 4)}));
  };
  EXPECT_TRUE(select(default_size / 512, 512).good());
  EXPECT_TRUE(select(0, 512).good());
  EXPECT_EQ(select(1, 512).field(), std::pair(8, -1));
  EXPECT_EQ(select(0, 4096).field(), std::pair(20, -1));
}

TEST(ModeSelect10, AHeaderIsCheckedFieldByField) {
  TestDisk disk;
  EXPECT_EQ(select_10(disk, {0, 0, 1, 0, 0, 0, 0, 0}).field(), std::pair(2, -1));
  EXPECT_EQ(select_10(disk, join({{0, 0, 0, 0, 0, 0, 0, 16}, Bytes(16)})).field(), std::pair(6, -1));
  EXPECT_EQ(select_10(disk, join({{0, 0, 0, 0, 1, 0, 0, 8}, Bytes(8)})).field(), std::pair(6, -1));
  EXPECT_EQ(select_10(disk, join({{0, 0, 0, 0, 0, 0, 0, 8}, Bytes(7)})).sense, list_length_error);
  EXPECT_EQ(select_10(disk, Bytes(7)).sense, list_length_error);
  EXPECT_EQ(select_10(disk, Bytes(300)).sense, list_length_error);
  EXPECT_TRUE(select_10(disk, Bytes(8)).good());
}

TEST(ModeSelect6, AHeaderIsCheckedFieldByField) {
  TestDisk disk;
  EXPECT_EQ(disk.send(mode_select_6(4), {0, 1, 0, 0}).field(), std::pair(1, -1));
  EXPECT_EQ(disk.send(mode_select_6(12), join({{0, 0, 0, 7}, Bytes(8)})).field(), std::pair(3, -1));
  EXPECT_EQ(disk.send(mode_select_6(11), join({{0, 0, 0, 8}, Bytes(7)})).sense, list_length_error);
}

TEST(ModeSelect10, WhatModeSense10GaveIsAccepted) {
  TestDisk disk;
  for (const u8 flags : std::initializer_list<u8>{0x00, 0x08, 0x10}) {
    Bytes list = disk.ask({0x5a, flags, 0x3f, 0, 0, 0, 0, 0, 255, 0}).data;
    list[0] = list[1] = list[3] = 0;
    const Bytes cdb = {0x55, 0x10, 0, 0, 0, 0, 0, 0, static_cast<u8>(list.size()), 0};
    EXPECT_TRUE(disk.send(cdb, list).good()) << +flags;
  }
}

}  // namespace

}  // namespace tcmufs::scsi::test
