#include "scsi/handler.h"

#include <algorithm>

#include "scsi/buffer.h"

namespace tcmufs::scsi {

Response reply(const Command& command, std::span<const u8> data, u64 allocation_length) {
  const std::size_t wanted = std::min<u64>(data.size(), allocation_length);
  return {.status = Status::good, .data_in_bytes = copy_to(command.buffer, data.first(wanted)), .sense = {}};
}

std::variant<ByteRange, Sense> checked_range(const Request& request, u64 lba, u64 length_blocks,
                                             u64 limit_blocks, u16 length_byte) {
  const Geometry& geometry = request.state.geometry;
  const auto range = geometry.range(lba, length_blocks);
  if (!range) return sense::lba_out_of_range.with_information(geometry.first_missing(lba));
  if (length_blocks > limit_blocks) return sense::invalid_cdb_field(length_byte);
  return *range;
}

}  // namespace tcmufs::scsi
