#pragma once

#include <array>
#include <optional>
#include <span>

#include "scsi/handler.h"
#include "sys/integers.h"

namespace tcmufs::scsi {

/// What stands in a command's way.
enum class Access : u8 {
  always,  // nothing, not even a pending unit attention
  none,    // a unit attention
  reads,   // also a stopped unit
  writes,  // also write protection
};

inline constexpr u16 no_service_action = 0xffff;

/// One supported command.
struct Row {
  u8 opcode;
  u16 service_action;  // no_service_action: the opcode alone says it
  u8 length;           // of the CDB
  Access access;
  const char* name;
  const char* clause;
  /// Byte for byte the bits that may be set (SPC-4 6.35, CDB USAGE DATA): first the opcode, then the
  /// service action where there is one, among the bits of the byte it is in.
  std::array<u8, 16> usage;
  /// Null: the kernel answers it itself and never passes it on.
  Handler handler;
  bool only_thin = false;  // there is none without logical block provisioning management

  constexpr bool has_service_action() const { return service_action != no_service_action; }
};

/// All rows, by opcode, then by service action.
std::span<const Row> opcode_table() noexcept;

/// The rows of an opcode: none, one without a service action, or those of all its service actions.
std::span<const Row> rows_of(u8 opcode) noexcept;

/// The row of a CDB of at least one byte; null if there is none.
const Row* row_of(std::span<const u8> cdb) noexcept;

/// The first bit of the CDB that its row does not allow. The CDB must be as long as the row says.
std::optional<FieldPointer> forbidden_bit(const Row& row, std::span<const u8> cdb) noexcept;

}  // namespace tcmufs::scsi
