#include "scsi/medium_error.h"

#include <algorithm>
#include <vector>

#include "scsi/buffer.h"
#include "scsi/pieces.h"

namespace tcmufs::scsi {

namespace {

Sense located(const Sense& sense, const ByteRange& range, u32 block_size_bytes, const Attempt& attempt) {
  if (sense.key != sense::unrecovered_read_error.key) return sense;
  const auto block = first_bad_block(range, block_size_bytes, attempt);
  return block ? sense.with_information(*block) : sense;
}

}  // namespace

std::optional<u64> first_bad_block(const ByteRange& range, u32 block_size_bytes, const Attempt& attempt) {
  for (u64 at = range.offset_bytes(); at < range.end_bytes();) {
    const u64 piece_end = std::min(range.end_bytes(), at + piece_bytes);
    if (range.length_bytes() > piece_bytes && attempt(at, piece_end - at)) {
      at = piece_end;
      continue;
    }
    for (; at < piece_end; at += block_size_bytes) {
      if (!attempt(at, std::min<u64>(block_size_bytes, piece_end - at))) return at / block_size_bytes;
    }
  }
  return std::nullopt;
}

Sense read_failure(std::error_code error, store::BlockStore& store, const ByteRange& range,
                   u32 block_size_bytes) {
  std::vector<u8> memory;
  return located(sense_of(error, Direction::reading), range, block_size_bytes, [&](u64 offset, u64 length) {
    memory.resize(length);
    const iovec buffer{memory.data(), length};
    return !store.read(offset, {&buffer, 1});
  });
}

Sense write_failure(std::error_code error, store::BlockStore& store, const ByteRange& range,
                    u32 block_size_bytes, std::span<const iovec> data) {
  return located(sense_of(error, Direction::writing), range, block_size_bytes, [&](u64 offset, u64 length) {
    return !store.write(offset, slice(data, offset - range.offset_bytes(), length));
  });
}

}  // namespace tcmufs::scsi
