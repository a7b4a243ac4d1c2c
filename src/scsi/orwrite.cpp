#include <functional>
#include <vector>

#include "scsi/buffer.h"
#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/pieces.h"

namespace tcmufs::scsi {

namespace {

Result read_or_write(const Execution& execution) {
  std::vector<u8> data(std::min(execution.plan.range.length_bytes(), piece_bytes));
  const auto wrong = read_pieces(execution, [&](u64 done, std::span<const u8> piece) -> std::optional<Sense> {
    const auto part = std::span(data).first(piece.size());
    copy_from(execution.command.buffer, done, part);
    std::transform(part.begin(), part.end(), piece.begin(), part.begin(), std::bit_or<u8>());
    const iovec buffer{part.data(), part.size()};
    return write_piece(execution, done, {&buffer, 1});
  });
  if (wrong) return *wrong;
  return taken();
}

}  // namespace

Answer orwrite(const Request& request) {
  const Addressed to = addressed(request.cdb());
  const auto checked =
      checked_range(request, to.lba, to.length_blocks, request.device.limits().transfer, to.length_byte);
  if (const auto* sense = std::get_if<Sense>(&checked)) return *sense;
  const auto& range = std::get<ByteRange>(checked);
  if (range.empty()) return taken();
  if (length_bytes(request.command.buffer) < range.length_bytes())
    return sense::invalid_cdb_field(to.length_byte);
  return Plan::compound(read_or_write, Plan::Lock::exclusive, range).flushing(to.force_unit_access());
}

}  // namespace tcmufs::scsi
