#include "unit/tcmu/ring_bench.h"

#include <algorithm>
#include <cstring>

namespace tcmufs::test {

std::array<u8, 6> cdb6(u8 opcode) {
  return {opcode, 0, 0, 0, 0, 0};
}

std::vector<u8> pattern(std::size_t length, u32 seed) {
  std::vector<u8> bytes(length);
  u32 state = seed * 2654435761U + 1;
  for (u8& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<u8>((state >> 24) | 1);
  }
  return bytes;
}

std::vector<u8> gather(const tcmu::RingCommand& command) {
  std::vector<u8> bytes;
  for (const iovec& piece : command.buffer) {
    const auto* from = static_cast<const u8*>(piece.iov_base);
    bytes.insert(bytes.end(), from, from + piece.iov_len);
  }
  return bytes;
}

void scatter(const tcmu::RingCommand& command, std::span<const u8> bytes) {
  for (const iovec& piece : command.buffer) {
    const std::size_t part = std::min(piece.iov_len, bytes.size());
    if (part > 0) std::memcpy(piece.iov_base, bytes.data(), part);
    bytes = bytes.subspan(part);
  }
}

void finish_good(tcmu::Ring& ring, tcmu::RingCommand& command) {
  ring.finish(command, {});
}

}  // namespace tcmufs::test
