#include "scsi/naa.h"

#include <cctype>
#include <string_view>

namespace tcmufs::scsi {

std::array<u8, 16> naa_designator(const Uuid& uuid) noexcept {
  std::array<u8, 16> naa{0x60, 0x01, 0x40, 0x50};
  naa[3] = static_cast<u8>(naa[3] | uuid.bytes[0] >> 4);
  for (std::size_t i = 4; i < naa.size(); ++i) {
    naa[i] = static_cast<u8>(uuid.bytes[i - 4] << 4 | uuid.bytes[i - 3] >> 4);
  }
  return naa;
}

std::vector<u8> naa_of_serial(std::string_view serial) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::vector<u8> naa{0x60, 0x01, 0x40, 0x50};
  naa.resize(16);
  std::size_t nibble = 7;  // the first one of 32 that is free
  for (const char c : serial) {
    const auto digit = digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    if (digit == std::string_view::npos) continue;
    if (nibble == 2 * naa.size()) break;
    u8& byte = naa[nibble / 2];
    byte = static_cast<u8>(byte | (nibble % 2 == 0 ? digit << 4 : digit));
    ++nibble;
  }
  return naa;
}

std::vector<u8> naa_designator(const Identity& identity) {
  if (!identity.naa.empty()) return identity.naa;
  const auto designator = naa_designator(identity.uuid);
  return {designator.begin(), designator.end()};
}

std::string naa_name(const Uuid& uuid) {
  return naa_name(Identity{.uuid = uuid});
}

std::string naa_name(const Identity& identity) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name = "naa.";
  for (const u8 byte : naa_designator(identity)) {
    name += digits[byte >> 4];
    name += digits[byte & 0x0f];
  }
  return name;
}

}  // namespace tcmufs::scsi
