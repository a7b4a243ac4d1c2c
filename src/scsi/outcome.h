#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "sys/integers.h"

namespace tcmufs::scsi {

/// SAM-5, status codes.
enum class Status : u8 {
  good = 0x00,
  check_condition = 0x02,
  condition_met = 0x04,
  busy = 0x08,
  reservation_conflict = 0x18,
  task_set_full = 0x28,
};

/// Sense data as it travels, in the format the control mode page asks for (SPC-4, sense data).
struct SenseBytes {
  std::array<u8, 96> bytes{};
  u8 length = 0;

  std::span<const u8> span() const { return {bytes.data(), length}; }
};

/// What goes back to the initiator. Data-in is in the command's buffer already.
struct [[nodiscard]] Response {
  Status status = Status::good;
  /// Valid bytes of data-in, already truncated to the allocation length and the buffer; nothing if the
  /// command has no data-in.
  std::optional<std::size_t> data_in_bytes;
  SenseBytes sense;
  /// The store had no room for a write, which may be tried again as if it had never been.
  bool no_room = false;
};

}  // namespace tcmufs::scsi
