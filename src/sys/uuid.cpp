#include "sys/uuid.h"

#include <sys/random.h>

#include "sys/error.h"

namespace tcmufs {

namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr bool dash_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

Uuid Uuid::random() {
  Uuid uuid;
  if (::getrandom(uuid.bytes.data(), uuid.bytes.size(), 0) != static_cast<ssize_t>(uuid.bytes.size())) {
    throw_errno("cannot get random bytes for a uuid");
  }
  uuid.bytes[6] = static_cast<u8>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<u8>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (dash_before(i) && text[at++] != '-') return std::nullopt;
    const auto high = digits.find(text[at]);
    const auto low = digits.find(text[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    uuid.bytes[i] = static_cast<u8>(high << 4 | low);
    at += 2;
  }
  return uuid;
}

std::string Uuid::text() const {
  std::string result;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (dash_before(i)) result += '-';
    result += digits[bytes[i] >> 4];
    result += digits[bytes[i] & 0x0f];
  }
  return result;
}

std::string Uuid::hex() const {
  std::string result = text();
  std::erase(result, '-');
  return result;
}

}  // namespace tcmufs
