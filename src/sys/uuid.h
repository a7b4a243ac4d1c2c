#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "sys/integers.h"

namespace tcmufs {

/// A 128-bit random identifier (RFC 4122, version 4).
struct Uuid {
  std::array<u8, 16> bytes{};

  static Uuid random();
  /// From "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"; nothing if it is no such text.
  static std::optional<Uuid> parse(std::string_view text);

  /// Lower case, with dashes: 36 characters.
  std::string text() const;
  /// Lower case, without dashes: 32 characters.
  std::string hex() const;

  bool operator==(const Uuid&) const = default;
};

}  // namespace tcmufs
