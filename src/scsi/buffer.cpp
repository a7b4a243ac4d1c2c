#include "scsi/buffer.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace tcmufs::scsi {

u64 length_bytes(std::span<const iovec> buffer) noexcept {
  u64 sum = 0;
  for (const iovec& piece : buffer) {
    if (piece.iov_len > std::numeric_limits<u64>::max() - sum) return std::numeric_limits<u64>::max();
    sum += piece.iov_len;
  }
  return sum;
}

std::size_t copy_to(std::span<const iovec> buffer, std::span<const u8> bytes) noexcept {
  std::size_t done = 0;
  for (const iovec& piece : buffer) {
    const std::size_t length = std::min(piece.iov_len, bytes.size() - done);
    if (length == 0) continue;
    std::memcpy(piece.iov_base, bytes.data() + done, length);
    done += length;
  }
  return done;
}

std::size_t copy_from(std::span<const iovec> buffer, u64 skip, std::span<u8> bytes) noexcept {
  std::size_t done = 0;
  for (const iovec& piece : buffer) {
    if (skip >= piece.iov_len) {
      skip -= piece.iov_len;
      continue;
    }
    const std::size_t length = std::min<std::size_t>(piece.iov_len - skip, bytes.size() - done);
    if (length == 0) break;
    std::memcpy(bytes.data() + done, static_cast<const u8*>(piece.iov_base) + skip, length);
    done += length;
    skip = 0;
  }
  return done;
}

std::vector<iovec> slice(std::span<const iovec> buffer, u64 skip, u64 length) {
  std::vector<iovec> result;
  for (const iovec& piece : buffer) {
    if (length == 0) break;
    if (skip >= piece.iov_len) {
      skip -= piece.iov_len;
      continue;
    }
    const std::size_t part = std::min<u64>(piece.iov_len - skip, length);
    result.push_back({static_cast<u8*>(piece.iov_base) + skip, part});
    length -= part;
    skip = 0;
  }
  return result;
}

}  // namespace tcmufs::scsi
