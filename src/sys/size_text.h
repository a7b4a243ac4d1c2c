#pragma once

#include <stdexcept>
#include <string>

#include "sys/integers.h"

namespace tcmufs {

/// Why a text is no size, in words.
class BadSize : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Bytes from "4096", "64M", "1.5G": a number, with a fraction only before a unit, then nothing or one of K M
/// G T P E (powers of 1024; "k" and "KiB" are K too). A fraction that gives no whole number of bytes gives
/// the multiple of 4096 below it. Throws BadSize for anything else, and beyond 2^63 - 1.
u64 size_from_text(const std::string& text);

/// A new size, or a difference to the present one.
struct SizeChange {
  enum class Kind { absolute, grow, shrink };

  Kind kind = Kind::absolute;
  u64 bytes = 0;

  /// The size that it makes of `present` bytes; throws BadSize if that is no size of a disk.
  u64 applied_to(u64 present) const;
};

/// "10G", "+10G" or "-1G". Throws BadSize.
SizeChange size_change_from_text(const std::string& text);

}  // namespace tcmufs
