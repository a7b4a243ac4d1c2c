#include <gtest/gtest.h>

#include <array>

#include "tcmu/entry.h"

namespace tcmufs::tcmu {
namespace {

std::optional<u16> length_of(u8 opcode, std::size_t room, u8 additional = 0) {
  std::array<std::byte, 300> bytes{};
  bytes[0] = std::byte{opcode};
  bytes[7] = std::byte{additional};
  return cdb_length(std::span(bytes).first(room));
}

TEST(CdbLength, FollowsFromTheGroupOfTheOpcode) {
  EXPECT_EQ(length_of(0x00, 24), 6);
  EXPECT_EQ(length_of(0x1f, 24), 6);
  EXPECT_EQ(length_of(0x20, 24), 10);
  EXPECT_EQ(length_of(0x5f, 24), 10);
  EXPECT_EQ(length_of(0x80, 24), 16);
  EXPECT_EQ(length_of(0x9f, 24), 16);
  EXPECT_EQ(length_of(0xa0, 24), 12);
  EXPECT_EQ(length_of(0xbf, 24), 12);
}

TEST(CdbLength, OfAVariableLengthCdbIsInItsByte7) {
  EXPECT_EQ(length_of(0x7f, 32, 24), 32);
  EXPECT_EQ(length_of(0x7f, 8, 0), 8);
  EXPECT_EQ(length_of(0x7f, 260, 252), 260);
  EXPECT_EQ(length_of(0x7f, 300, 253), std::nullopt) << "no kernel passes more than 260 bytes";
  EXPECT_EQ(length_of(0x7f, 7, 0), std::nullopt);
}

TEST(CdbLength, OfReservedAndVendorGroupsIsWhatThereIsUpTo16) {
  for (const u8 opcode : std::array<u8, 4>{0x60, 0x7e, 0xc0, 0xff}) {
    EXPECT_EQ(length_of(opcode, 8), 8);
    EXPECT_EQ(length_of(opcode, 16), 16);
    EXPECT_EQ(length_of(opcode, 40), 16);
  }
}

TEST(CdbLength, ThatDoesNotFitIsNone) {
  EXPECT_EQ(length_of(0x00, 0), std::nullopt);
  EXPECT_EQ(length_of(0x00, 5), std::nullopt);
  EXPECT_EQ(length_of(0x28, 8), std::nullopt);
  EXPECT_EQ(length_of(0x88, 15), std::nullopt);
  EXPECT_EQ(length_of(0x7f, 31, 24), std::nullopt);
}

}  // namespace
}  // namespace tcmufs::tcmu
