#include "device/hash.h"

#include "sys/uuid.h"

namespace tcmufs::device {

namespace {

__extension__ using u128 = unsigned __int128;

constexpr u128 wide(u64 high, u64 low) {
  return u128{high} << 64 | low;
}

// MurmurHash3's last step: every bit of a half depends on every bit of it.
u64 mixed(u64 half) {
  half = (half ^ half >> 33) * 0xff51afd7ed558ccd;
  half = (half ^ half >> 33) * 0xc4ceb9fe1a85ec53;
  return half ^ half >> 33;
}

}  // namespace

std::array<u8, 16> hash_of(std::string_view text) noexcept {
  u128 hash = wide(0x6c62272e07bb0142, 0x62b821756295c58d);
  for (const char c : text) hash = (hash ^ static_cast<u8>(c)) * wide(0x0000000001000000, 0x000000000000013b);
  // What differs in its last characters only differs in few bits until now.
  u64 high = mixed(static_cast<u64>(hash >> 64) + static_cast<u64>(hash));
  const u64 low = mixed(static_cast<u64>(hash) + high);
  high += low;
  hash = wide(high, low);
  std::array<u8, 16> bytes{};
  for (std::size_t i = bytes.size(); i > 0; hash >>= 8) bytes[--i] = static_cast<u8>(hash);
  return bytes;
}

std::string hash_digits(std::string_view text) {
  return Uuid{hash_of(text)}.hex();
}

}  // namespace tcmufs::device
