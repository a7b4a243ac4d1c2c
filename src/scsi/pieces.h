#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "scsi/buffer.h"
#include "scsi/handler.h"
#include "scsi/medium_error.h"

namespace tcmufs::scsi {

/// A multiple of every block size.
inline constexpr u64 piece_bytes = u64{256} << 10;

/// Reads the plan's range piece by piece into memory of its own, and calls visit(bytes done before, piece),
/// which says what is wrong or nothing. Stops at the first thing that is wrong, and returns it.
template <typename Visit>
std::optional<Sense> read_pieces(const Execution& execution, Visit visit) {
  const ByteRange& range = execution.plan.range;
  std::vector<u8> memory(std::min(range.length_bytes(), piece_bytes));
  for (u64 done = 0; done < range.length_bytes();) {
    const std::span<u8> piece(memory.data(), std::min(range.length_bytes() - done, piece_bytes));
    const iovec buffer{piece.data(), piece.size()};
    if (const auto error = execution.store.read(range.offset_bytes() + done, {&buffer, 1})) {
      return read_failure(error, execution.store, range.part(done, piece.size()),
                          execution.block_size_bytes());
    }
    if (const std::optional<Sense> wrong = visit(done, piece)) return wrong;
    done += piece.size();
  }
  return std::nullopt;
}

/// Writes `data` to the part of the plan's range that is `done` bytes behind its start; what is wrong, or
/// nothing.
inline std::optional<Sense> write_piece(const Execution& execution, u64 done, std::span<const iovec> data) {
  const ByteRange part = execution.plan.range.part(done, length_bytes(data));
  const auto error = execution.store.write(part.offset_bytes(), data);
  if (!error) return std::nullopt;
  return write_failure(error, execution.store, part, execution.block_size_bytes(), data);
}

/// Where two pieces of the same size differ first; nothing if they do not.
std::optional<std::size_t> first_difference(std::span<const u8> left, std::span<const u8> right) noexcept;

}  // namespace tcmufs::scsi
