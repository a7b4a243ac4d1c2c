#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "sys/integers.h"

namespace tcmufs {

/// A big-endian unsigned field of `Bytes` bytes, as SCSI structures hold them. Trivially copyable, alignment
/// 1, so that a struct of them has the layout of the wire.
template <std::size_t Bytes>
class BigEndian {
 public:
  static_assert(Bytes >= 1 && Bytes <= 8);
  using Value =
      std::conditional_t<(Bytes <= 1), u8,
                         std::conditional_t<(Bytes <= 2), u16, std::conditional_t<(Bytes <= 4), u32, u64>>>;

  constexpr BigEndian() = default;
  constexpr BigEndian(Value value) noexcept { *this = value; }  // NOLINT: a field reads as its number

  constexpr BigEndian& operator=(Value value) noexcept {
    u64 rest = value;
    for (std::size_t i = Bytes; i-- > 0;) {
      bytes_[i] = static_cast<u8>(rest & 0xff);
      rest >>= 8;
    }
    return *this;
  }

  constexpr operator Value() const noexcept {  // NOLINT: a field reads as its number
    u64 value = 0;
    for (const u8 byte : bytes_) value = value << 8 | byte;
    return static_cast<Value>(value);
  }

 private:
  std::array<u8, Bytes> bytes_{};
};

using Be16 = BigEndian<2>;
using Be24 = BigEndian<3>;
using Be32 = BigEndian<4>;
using Be48 = BigEndian<6>;
using Be64 = BigEndian<8>;

}  // namespace tcmufs
