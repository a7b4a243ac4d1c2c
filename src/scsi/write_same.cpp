#include <algorithm>
#include <array>
#include <vector>

#include "scsi/buffer.h"
#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/pieces.h"

namespace tcmufs::scsi {

namespace {

constexpr u8 unmap_bit = 0x08;
constexpr u8 no_data_out = 0x01;  // NDOB

Result write_pattern(const Execution& execution) {
  const ByteRange& range = execution.plan.range;
  const std::size_t block_size = execution.block_size_bytes();
  std::vector<u8> pattern(std::min(range.length_bytes(), piece_bytes));
  copy_from(execution.command.buffer, 0, std::span(pattern).first(block_size));
  for (std::size_t at = block_size; at < pattern.size(); at += block_size) {
    std::copy_n(pattern.begin(), block_size, pattern.begin() + static_cast<std::ptrdiff_t>(at));
  }
  for (u64 done = 0; done < range.length_bytes();) {
    const iovec buffer{pattern.data(), std::min<std::size_t>(pattern.size(), range.length_bytes() - done)};
    if (const auto wrong = write_piece(execution, done, {&buffer, 1})) return *wrong;
    done += buffer.iov_len;
  }
  return taken();
}

bool all_zeros(std::span<const iovec> buffer) {
  return std::all_of(buffer.begin(), buffer.end(), [](const iovec& piece) {
    const std::span<const u8> bytes(static_cast<const u8*>(piece.iov_base), piece.iov_len);
    return std::all_of(bytes.begin(), bytes.end(), [](u8 byte) { return byte == 0; });
  });
}

}  // namespace

Answer write_same(const Request& request) {
  const Addressed to = addressed(request.cdb());
  const Geometry& geometry = request.state.geometry;
  const bool unmaps = (to.flags & unmap_bit) != 0;
  if (unmaps && !request.device.thin()) return sense::invalid_cdb_field(1, u8{3});
  if (to.length_blocks == 0) return sense::invalid_cdb_field(to.length_byte);  // WSNZ
  const auto checked =
      checked_range(request, to.lba, to.length_blocks, request.device.limits().write_same, to.length_byte);
  if (const auto* sense = std::get_if<Sense>(&checked)) return *sense;
  const auto& range = std::get<ByteRange>(checked);

  const bool data_out = (to.flags & no_data_out) == 0;
  if (data_out && length_bytes(request.command.buffer) != geometry.block_size_bytes()) {
    return sense::invalid_cdb_field(to.length_byte);
  }
  if (data_out && !all_zeros(request.command.buffer)) {
    return Plan::compound(write_pattern, Plan::Lock::shared, range);
  }
  Plan plan;
  plan.lock = Plan::Lock::shared;
  plan.range = range;
  plan.kind = Plan::Kind::zero;
  if (unmaps) {
    plan.kind = Plan::Kind::discard;
    plan.extents = {range};
  }
  return plan;
}

}  // namespace tcmufs::scsi
