#include "sys/big_endian.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

namespace tcmufs {
namespace {

template <typename Field>
std::array<u8, sizeof(Field)> bytes_of(const Field& field) {
  std::array<u8, sizeof(Field)> bytes;
  std::memcpy(bytes.data(), &field, sizeof field);
  return bytes;
}

TEST(BigEndian, TheMostSignificantByteComesFirst) {
  EXPECT_EQ(bytes_of(Be16(0x1234)), (std::array<u8, 2>{0x12, 0x34}));
  EXPECT_EQ(bytes_of(Be24(0x123456)), (std::array<u8, 3>{0x12, 0x34, 0x56}));
  EXPECT_EQ(bytes_of(Be32(0x12345678)), (std::array<u8, 4>{0x12, 0x34, 0x56, 0x78}));
  EXPECT_EQ(bytes_of(Be48(0x123456789abc)), (std::array<u8, 6>{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc}));
  EXPECT_EQ(bytes_of(Be64(0x0123456789abcdef)),
            (std::array<u8, 8>{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}));
}

TEST(BigEndian, WhatIsStoredIsReadBack) {
  for (const u64 value : {u64{0}, u64{1}, u64{0x80}, u64{1} << 63, std::numeric_limits<u64>::max()}) {
    EXPECT_EQ(Be64(value), value);
    Be32 field;
    field = static_cast<u32>(value);
    EXPECT_EQ(field, static_cast<u32>(value));
  }
}

TEST(BigEndian, AFieldKeepsTheLowBytesOfALargerNumber) {
  EXPECT_EQ(Be24(0xff123456), 0x123456U);
}

TEST(BigEndian, AStructOfFieldsHasTheLayoutOfTheWire) {
  struct Wire {
    u8 opcode;
    Be24 address;
    Be64 length;
  };
  static_assert(sizeof(Wire) == 12);
  static_assert(alignof(Wire) == 1);
  static_assert(std::is_trivially_copyable_v<Wire>);
  const std::array<u8, 12> bytes = {0x08, 0, 1, 2, 0, 0, 0, 0, 0, 0, 3, 4};
  Wire wire{};
  std::memcpy(&wire, bytes.data(), sizeof wire);
  EXPECT_EQ(wire.address, 0x0102U);
  EXPECT_EQ(wire.length, 0x0304U);
}

}  // namespace
}  // namespace tcmufs
