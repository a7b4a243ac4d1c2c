#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "scsi/geometry.h"
#include "scsi/sense.h"
#include "store/block_store.h"

namespace tcmufs::scsi {

/// A multiple of every block size.
inline constexpr u64 piece_bytes = u64{256} << 10;

/// Reads a range piece by piece into memory of its own, and calls visit(bytes done before, piece), which says
/// what is wrong or nothing. Stops at the first thing that is wrong, and returns it.
template <typename Visit>
std::optional<Sense> read_pieces(store::BlockStore& store, const ByteRange& range, Visit visit) {
  std::vector<u8> memory(std::min(range.length_bytes(), piece_bytes));
  for (u64 done = 0; done < range.length_bytes();) {
    const std::span<u8> piece(memory.data(), std::min(range.length_bytes() - done, piece_bytes));
    const iovec buffer{piece.data(), piece.size()};
    if (const auto error = store.read(range.offset_bytes() + done, {&buffer, 1})) {
      return sense_of(error, Direction::reading);
    }
    if (const std::optional<Sense> wrong = visit(done, piece)) return wrong;
    done += piece.size();
  }
  return std::nullopt;
}

/// Where two pieces of the same size differ first; nothing if they do not.
std::optional<std::size_t> first_difference(std::span<const u8> left, std::span<const u8> right) noexcept;

}  // namespace tcmufs::scsi
