#include "bytes.h"

#include <algorithm>

namespace tcmufs::model {

u64 number(std::span<const u8> bytes, std::size_t offset, unsigned width) {
  u64 value = 0;
  for (std::size_t i = offset; i < offset + width; ++i)
    value = value << 8 | (i < bytes.size() ? bytes[i] : 0u);
  return value;
}

void place(Bytes& bytes, std::size_t offset, u64 value, unsigned width) {
  for (unsigned i = width; i-- > 0; value >>= 8) bytes[offset + i] = static_cast<u8>(value);
}

Bytes field(u64 value, unsigned width) {
  Bytes bytes(width);
  place(bytes, 0, value, width);
  return bytes;
}

Bytes join(std::initializer_list<Bytes> parts) {
  Bytes whole;
  for (const Bytes& bytes : parts) whole.insert(whole.end(), bytes.begin(), bytes.end());
  return whole;
}

Bytes part(std::span<const u8> bytes, std::size_t offset, std::size_t length) {
  const auto some = bytes.subspan(offset, length);
  return {some.begin(), some.end()};
}

Bytes padded(const std::string& text, std::size_t width) {
  Bytes bytes(text.begin(), text.end());
  bytes.resize(width, ' ');
  return bytes;
}

std::string hex(std::span<const u8> bytes, std::size_t limit) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const u8 byte : bytes.first(std::min(bytes.size(), limit))) {
    if (!text.empty()) text += ' ';
    text += digits[byte >> 4];
    text += digits[byte & 0x0f];
  }
  return bytes.size() > limit ? text + " ... (" + std::to_string(bytes.size()) + " bytes)" : text;
}

}  // namespace tcmufs::model
