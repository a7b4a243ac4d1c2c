#include <vector>

#include "scsi/buffer.h"
#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/pieces.h"

namespace tcmufs::scsi {

namespace {

/// The first half of the data-out buffer is compared, the second written.
std::optional<Sense> miscompare(const Execution& execution) {
  std::vector<u8> expected(std::min(execution.plan.range.length_bytes(), piece_bytes));
  return read_pieces(execution, [&](u64 done, std::span<const u8> piece) -> std::optional<Sense> {
    const auto part = std::span(expected).first(piece.size());
    copy_from(execution.command.buffer, done, part);
    const auto at = first_difference(piece, part);
    if (at) return sense::miscompare_during_verify.with_information(done + *at);
    return std::nullopt;
  });
}

Result compare_then_write(const Execution& execution) {
  const Command& command = execution.command;
  if (!command.begun) {
    if (const auto wrong = miscompare(execution)) return *wrong;
    if (command.point_of_no_return != nullptr) command.point_of_no_return->passed();
  }
  const u64 half = execution.plan.range.length_bytes();
  if (const auto wrong = write_piece(execution, 0, slice(command.buffer, half, half))) return *wrong;
  return taken();
}

}  // namespace

Answer compare_and_write(const Request& request) {
  constexpr u16 blocks_byte = 13;
  const auto cdb = structure_from<CompareAndWriteCdb>(request.cdb());
  const auto checked =
      checked_range(request, cdb.lba, cdb.blocks, request.device.limits().compare_and_write, blocks_byte);
  if (const auto* sense = std::get_if<Sense>(&checked)) return *sense;
  const auto& range = std::get<ByteRange>(checked);
  if (range.empty()) return taken();
  if (length_bytes(request.command.buffer) != 2 * range.length_bytes())
    return sense::invalid_cdb_field(blocks_byte);
  const bool force_unit_access = (cdb.flags & 0x08) != 0;
  return Plan::compound(compare_then_write, Plan::Lock::exclusive, range).flushing(force_unit_access);
}

}  // namespace tcmufs::scsi
