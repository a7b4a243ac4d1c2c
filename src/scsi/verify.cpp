#include <vector>

#include "scsi/buffer.h"
#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/pieces.h"

namespace tcmufs::scsi {

namespace {

enum class ByteCheck : u8 { none = 0, whole = 1, reserved = 2, one_block = 3 };

/// Whether it can be read.
std::optional<Sense> readable(const Execution& execution) {
  return read_pieces(execution, [](u64, std::span<const u8>) { return std::nullopt; });
}

/// Whether it is what the data-out buffer has.
std::optional<Sense> same_as_buffer(const Execution& execution) {
  std::vector<u8> expected(std::min(execution.plan.range.length_bytes(), piece_bytes));
  return read_pieces(execution, [&](u64 done, std::span<const u8> piece) -> std::optional<Sense> {
    const auto part = std::span(expected).first(piece.size());
    copy_from(execution.command.buffer, done, part);
    if (first_difference(piece, part)) return sense::miscompare_during_verify;
    return std::nullopt;
  });
}

Result answer_of(const std::optional<Sense>& wrong, const Response& right) {
  if (wrong) return *wrong;
  return right;
}

Result verify_readable(const Execution& execution) {
  return answer_of(readable(execution), done());
}
Result verify_same(const Execution& execution) {
  return answer_of(same_as_buffer(execution), taken());
}

Result verify_repeated(const Execution& execution) {
  std::vector<u8> block(execution.block_size_bytes());
  copy_from(execution.command.buffer, 0, block);
  const auto wrong = read_pieces(execution, [&](u64, std::span<const u8> piece) -> std::optional<Sense> {
    for (; !piece.empty(); piece = piece.subspan(block.size())) {
      if (first_difference(piece.first(block.size()), block)) {
        return sense::miscompare_during_verify;
      }
    }
    return std::nullopt;
  });
  return answer_of(wrong, taken());
}

std::optional<Sense> write_range(const Execution& execution) {
  return write_piece(execution, 0, slice(execution.command.buffer, 0, execution.plan.range.length_bytes()));
}

Result write_and_read(const Execution& execution) {
  if (const auto wrong = write_range(execution)) return *wrong;
  return answer_of(readable(execution), taken());
}

Result write_and_compare(const Execution& execution) {
  if (const auto wrong = write_range(execution)) return *wrong;
  return answer_of(same_as_buffer(execution), taken());
}

}  // namespace

Answer verify(const Request& request) {
  const Addressed what = addressed(request.cdb());
  const auto check = static_cast<ByteCheck>(what.byte_check());
  if (check == ByteCheck::reserved) return sense::invalid_cdb_field(1, u8{2});
  const auto checked = checked_range(request, what.lba, what.length_blocks, request.device.limits().transfer,
                                     what.length_byte);
  if (const auto* sense = std::get_if<Sense>(&checked)) return *sense;
  const auto& range = std::get<ByteRange>(checked);
  if (range.empty()) return done();
  if (check == ByteCheck::none) return Plan::compound(verify_readable, Plan::Lock::none, range);

  const u64 needed =
      check == ByteCheck::whole ? range.length_bytes() : u64{request.state.geometry.block_size_bytes()};
  if (length_bytes(request.command.buffer) < needed) return sense::invalid_cdb_field(what.length_byte);
  return Plan::compound(check == ByteCheck::whole ? verify_same : verify_repeated, Plan::Lock::none, range);
}

Answer write_and_verify(const Request& request) {
  const Addressed what = addressed(request.cdb());
  const auto checked = checked_range(request, what.lba, what.length_blocks, request.device.limits().transfer,
                                     what.length_byte);
  if (const auto* sense = std::get_if<Sense>(&checked)) return *sense;
  const auto& range = std::get<ByteRange>(checked);
  if (range.empty()) return taken();
  if (length_bytes(request.command.buffer) < range.length_bytes())
    return sense::invalid_cdb_field(what.length_byte);
  const bool compare = static_cast<ByteCheck>(what.byte_check()) == ByteCheck::whole;
  return Plan::compound(compare ? write_and_compare : write_and_read, Plan::Lock::shared, range)
      .flushing(true);
}

}  // namespace tcmufs::scsi
