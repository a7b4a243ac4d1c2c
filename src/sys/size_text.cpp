#include "sys/size_text.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "sys/error.h"

namespace tcmufs {

namespace {

constexpr std::string_view units = "KMGTPE";
constexpr u64 largest = std::numeric_limits<std::int64_t>::max();  // off_t
constexpr u64 inexact_granularity = 4096;

[[noreturn]] void refuse_size(const std::string& text, const std::string& why) {
  throw BadSize(quoted(text) + " is no size: " + why + ". A size is a number of bytes or like 64M, 1.5G, 1T");
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The digits at the front of `rest`, which are taken from it.
std::string_view take_digits(std::string_view& rest) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_digit);
  const auto digits = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(digits.size());
  return digits;
}

/// The number that the whole of `suffix` multiplies by; 0 if it is no unit.
u64 unit_of(std::string_view suffix) {
  if (suffix.empty()) return 1;
  const auto place = units.find(suffix[0] == 'k' ? 'K' : suffix[0]);
  suffix.remove_prefix(1);
  if (place == std::string_view::npos || (!suffix.empty() && suffix != "iB")) return 0;
  return u64{1} << (10 * (place + 1));
}

struct Fraction {
  u64 bytes = 0;  // rounded down
  bool exact = true;
};

/// 0.DIGITS of `unit`. Horner's scheme from the last digit: no step exceeds 10 * 2^60.
Fraction fraction_of(std::string_view digits, u64 unit) {
  Fraction result;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    const u64 tenths = static_cast<u64>(*digit - '0') * unit + result.bytes;
    result.exact = result.exact && tenths % 10 == 0;
    result.bytes = tenths / 10;
  }
  return result;
}

u64 whole_number(const std::string& text, std::string_view digits) {
  u64 value = 0;
  for (const char digit : digits) {
    if (value > largest / 10) refuse_size(text, "it is too large");
    value = value * 10 + static_cast<u64>(digit - '0');
  }
  return value;
}

}  // namespace

u64 size_from_text(const std::string& text) {
  std::string_view rest = text;
  const auto whole = take_digits(rest);
  std::string_view fraction;
  if (!whole.empty() && rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = take_digits(rest);
    if (fraction.empty() || rest.empty()) refuse_size(text, "a point stands between digits, before a unit");
  }
  if (whole.empty()) refuse_size(text, "it begins with no digit");
  const u64 unit = unit_of(rest);
  if (unit == 0) refuse_size(text, quoted(std::string(rest)) + " is no unit (K M G T P E, powers of 1024)");

  const u64 number = whole_number(text, whole);
  if (number > largest / unit) refuse_size(text, "it is too large");
  // Less than one more unit, and 2^63 is a multiple of the unit: the sum cannot pass 2^63 - 1.
  const Fraction part = fraction_of(fraction, unit);
  u64 bytes = number * unit + part.bytes;
  if (!part.exact) bytes -= bytes % inexact_granularity;
  return bytes;
}

SizeChange size_change_from_text(const std::string& text) {
  if (text.starts_with('+')) return {SizeChange::Kind::grow, size_from_text(text.substr(1))};
  if (text.starts_with('-')) return {SizeChange::Kind::shrink, size_from_text(text.substr(1))};
  return {SizeChange::Kind::absolute, size_from_text(text)};
}

u64 SizeChange::applied_to(u64 present) const {
  switch (kind) {
    case Kind::absolute:
      return bytes;
    case Kind::grow:
      if (bytes > largest - std::min(present, largest)) {
        throw BadSize("no disk can be as large as " + std::to_string(present) + " + " +
                      std::to_string(bytes) + " bytes");
      }
      return present + bytes;
    case Kind::shrink:
      break;
  }
  if (bytes >= present) {
    throw BadSize("the disk has " + std::to_string(present) + " bytes, it cannot be " +
                  std::to_string(bytes) + " bytes smaller");
  }
  return present - bytes;
}

}  // namespace tcmufs
