#pragma once

#include <string>

#include "sys/integers.h"

namespace tcmufs::mountctl {

/// Bytes from "4096", "64M", "1.5G": a number, with a fraction only before a unit, then nothing or one of K M
/// G T P E (powers of 1024; "k" and "KiB" are K too). A fraction that gives no whole number of bytes gives
/// the multiple of 4096 below it. Throws Refusal (usage) for anything else, for 0, and beyond 2^63 - 1.
u64 parse_size(const std::string& text);

/// A new size, or a difference to the present one.
struct SizeChange {
  enum class Kind { absolute, grow, shrink };

  Kind kind = Kind::absolute;
  u64 bytes = 0;

  /// The size that it makes of `present` bytes; throws Refusal (failed) if that is no size of a disk.
  u64 applied_to(u64 present) const;
};

/// "10G", "+10G" or "-1G".
SizeChange parse_size_change(const std::string& text);

/// "512", "1.5K", "10G": at most one digit behind the point, rounded to the nearest.
std::string human_size(u64 bytes);

}  // namespace tcmufs::mountctl
