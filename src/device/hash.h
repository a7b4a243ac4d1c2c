#pragma once

#include <array>
#include <string>
#include <string_view>

#include "sys/integers.h"

namespace tcmufs::device {

/// 16 bytes that follow from a text, and look like any others (FNV-1a of 128 bits, mixed).
std::array<u8, 16> hash_of(std::string_view text) noexcept;

/// The same as 32 hexadecimal digits.
std::string hash_digits(std::string_view text);

}  // namespace tcmufs::device
