#include "fuse/request.h"

#include <linux/fuse.h>

#include <cstring>

namespace tcmufs::fuse {

std::optional<u64> released_handle(std::span<const std::byte> request) {
  fuse_in_header header{};
  fuse_release_in release{};
  if (request.size() < sizeof header + sizeof release) return std::nullopt;
  std::memcpy(&header, request.data(), sizeof header);
  if (header.opcode != FUSE_RELEASE) return std::nullopt;
  std::memcpy(&release, request.data() + sizeof header, sizeof release);
  return release.fh;
}

std::array<std::byte, 16> opened_stream(u64 handle) {
  fuse_open_out out{};
  out.fh = handle;
  out.open_flags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH | FOPEN_STREAM;
  std::array<std::byte, 16> bytes{};
  static_assert(sizeof out == bytes.size());
  std::memcpy(bytes.data(), &out, sizeof out);
  return bytes;
}

}  // namespace tcmufs::fuse
