#pragma once

#include <optional>

#include "sys/integers.h"

namespace tcmufs::scsi {

/// A range of the medium in bytes that has been checked against the capacity. Only Geometry makes one that is
/// not empty.
class ByteRange {
 public:
  constexpr ByteRange() = default;

  constexpr u64 offset_bytes() const noexcept { return offset_; }
  constexpr u64 length_bytes() const noexcept { return length_; }
  constexpr u64 end_bytes() const noexcept { return offset_ + length_; }
  constexpr bool empty() const noexcept { return length_ == 0; }

  /// The part of it that is at most `length` bytes long and starts where it starts.
  constexpr ByteRange first(u64 length) const noexcept {
    return ByteRange(offset_, length < length_ ? length : length_);
  }

  /// The part of it from `skip` on, at most `length` bytes.
  constexpr ByteRange part(u64 skip, u64 length) const noexcept {
    const u64 gone = skip < length_ ? skip : length_;
    return ByteRange(offset_ + gone, length_ - gone).first(length);
  }

  /// The smallest range that holds both.
  constexpr ByteRange hull(const ByteRange& other) const noexcept {
    const u64 offset = other.offset_ < offset_ ? other.offset_ : offset_;
    const u64 end = end_bytes() < other.end_bytes() ? other.end_bytes() : end_bytes();
    return ByteRange(offset, end - offset);
  }

 private:
  friend class Geometry;
  constexpr ByteRange(u64 offset, u64 length) noexcept : offset_(offset), length_(length) {}

  u64 offset_ = 0;
  u64 length_ = 0;
};

/// Capacity and block sizes.
class Geometry {
 public:
  constexpr Geometry() = default;
  /// `physical_exponent`: a physical block is 2^physical_exponent logical ones.
  constexpr Geometry(u32 block_size_bytes, u8 physical_exponent, u64 size_bytes) noexcept
      : block_size_(block_size_bytes),
        physical_exponent_(physical_exponent),
        blocks_(size_bytes / block_size_bytes) {}

  constexpr u32 block_size_bytes() const noexcept { return block_size_; }
  constexpr u8 physical_exponent() const noexcept { return physical_exponent_; }
  constexpr u64 blocks() const noexcept { return blocks_; }

  /// Blocks `lba` to `lba` + `count` - 1; nothing if they are not all there. An empty range may start at the
  /// end.
  constexpr std::optional<ByteRange> range(u64 lba, u64 count) const noexcept {
    if (lba > blocks_ || count > blocks_ - lba) return std::nullopt;
    return ByteRange(lba * block_size_, count * block_size_);
  }

  /// The first block of a range that range() refuses which is not there.
  constexpr u64 first_missing(u64 lba) const noexcept { return lba > blocks_ ? lba : blocks_; }

 private:
  u32 block_size_ = 512;
  u8 physical_exponent_ = 0;
  u64 blocks_ = 0;
};

}  // namespace tcmufs::scsi
