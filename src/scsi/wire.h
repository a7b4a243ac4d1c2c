#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "sys/integers.h"

namespace tcmufs::scsi {

/// The low byte of a number; spares the casts that integer promotion asks for.
template <typename Number>
constexpr u8 bits(Number value) noexcept {
  return static_cast<u8>(value);
}

/// The bytes of a structure of the wire.
template <typename Structure>
std::span<const u8> bytes_of(const Structure& structure) noexcept {
  static_assert(std::is_trivially_copyable_v<Structure> && alignof(Structure) == 1);
  return {reinterpret_cast<const u8*>(&structure), sizeof structure};
}

/// A structure of the wire from the front of `bytes`, which must be long enough.
template <typename Structure>
Structure structure_from(std::span<const u8> bytes) noexcept {
  static_assert(std::is_trivially_copyable_v<Structure> && alignof(Structure) == 1);
  Structure structure;
  std::memcpy(&structure, bytes.data(), sizeof structure);
  return structure;
}

/// A left-aligned ASCII field, filled up with spaces (SPC-4, ASCII data field requirements).
template <typename Field>
void fill_text(Field& field, std::string_view text) noexcept {
  const auto printable = [](char c) { return c >= 0x20 && c <= 0x7e ? bits(c) : bits(' '); };
  std::fill(field.begin(), field.end(), bits(' '));
  std::transform(text.begin(),
                 text.begin() + static_cast<std::ptrdiff_t>(std::min(text.size(), field.size())),
                 field.begin(), printable);
}

}  // namespace tcmufs::scsi
