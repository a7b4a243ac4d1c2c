#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "scsi/wire.h"
#include "sys/big_endian.h"
#include "sys/integers.h"

namespace tcmufs::scsi {

/// Parameter data as it grows, on the stack.
template <std::size_t Capacity>
class Page {
 public:
  std::span<const u8> bytes() const noexcept { return {bytes_.data(), size_}; }
  std::size_t size() const noexcept { return size_; }
  std::size_t room() const noexcept { return Capacity - size_; }

  /// Appends as much of it as there is room for.
  void append(std::span<const u8> bytes) noexcept {
    const std::size_t length = std::min(bytes.size(), room());
    std::copy_n(bytes.begin(), length, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += length;
  }
  template <typename Structure>
  void append_structure(const Structure& structure) noexcept {
    append(bytes_of(structure));
  }

  u8& operator[](std::size_t i) noexcept { return bytes_[i]; }
  /// A big-endian length field at `offset`.
  void set_16(std::size_t offset, std::size_t value) noexcept {
    bytes_[offset] = bits(value >> 8);
    bytes_[offset + 1] = bits(value);
  }

 private:
  std::array<u8, Capacity> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace tcmufs::scsi
