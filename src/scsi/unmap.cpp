#include <algorithm>
#include <vector>

#include "scsi/buffer.h"
#include "scsi/cdb.h"
#include "scsi/handlers.h"

namespace tcmufs::scsi {

namespace {

struct UnmapHeader {  // SBC-3, UNMAP parameter list
  Be16 data_length;
  Be16 descriptors_length;
  Be32 reserved;
};
static_assert(sizeof(UnmapHeader) == 8);

struct UnmapDescriptor {
  Be64 lba;
  Be32 blocks;
  Be32 reserved;
};
static_assert(sizeof(UnmapDescriptor) == 16);

/// The whole descriptors of the list: what is cut off at the end does not count.
std::variant<std::vector<UnmapDescriptor>, Sense> descriptors_of(const Request& request,
                                                                 std::size_t list_length) {
  UnmapHeader header;
  std::array<u8, sizeof header> head{};
  if (list_length < head.size() || copy_from(request.command.buffer, 0, head) < head.size()) {
    return sense::parameter_list_length_error;
  }
  header = structure_from<UnmapHeader>(head);
  const std::size_t count =
      std::min<std::size_t>(header.descriptors_length, list_length - head.size()) / sizeof(UnmapDescriptor);
  if (count > request.device.limits().unmap_descriptors) return sense::invalid_parameter(2);

  std::vector<UnmapDescriptor> descriptors(count);
  const std::span<u8> bytes(reinterpret_cast<u8*>(descriptors.data()), count * sizeof(UnmapDescriptor));
  if (copy_from(request.command.buffer, head.size(), bytes) < bytes.size())
    return sense::parameter_list_length_error;
  return descriptors;
}

std::variant<std::vector<ByteRange>, Sense> ranges_of(const Request& request,
                                                      const std::vector<UnmapDescriptor>& descriptors) {
  constexpr std::size_t blocks_offset = 8;
  std::vector<ByteRange> ranges;
  ranges.reserve(descriptors.size());
  u64 blocks = 0;
  std::size_t offset = sizeof(UnmapHeader);
  for (const UnmapDescriptor& descriptor : descriptors) {
    const auto range = request.state.geometry.range(descriptor.lba, descriptor.blocks);
    if (!range) {
      return sense::lba_out_of_range.with_information(request.state.geometry.first_missing(descriptor.lba));
    }
    blocks += descriptor.blocks;
    if (blocks > request.device.limits().unmap) {
      return sense::invalid_parameter(static_cast<u16>(offset + blocks_offset));
    }
    if (!range->empty()) ranges.push_back(*range);
    offset += sizeof(UnmapDescriptor);
  }
  return ranges;
}

}  // namespace

Answer unmap(const Request& request) {
  const auto cdb = structure_from<ParameterList10Cdb>(request.cdb());
  if (cdb.parameter_list_length == 0) return taken();
  const auto descriptors = descriptors_of(request, cdb.parameter_list_length);
  if (const auto* sense = std::get_if<Sense>(&descriptors)) return *sense;
  auto ranges = ranges_of(request, std::get<std::vector<UnmapDescriptor>>(descriptors));
  if (const auto* sense = std::get_if<Sense>(&ranges)) return *sense;

  Plan plan;
  plan.kind = Plan::Kind::discard;
  plan.lock = Plan::Lock::shared;
  plan.extents = std::move(std::get<std::vector<ByteRange>>(ranges));
  if (plan.extents.empty()) return taken();
  plan.range = plan.extents.front();
  for (const ByteRange& extent : plan.extents) plan.range = plan.range.hull(extent);
  return plan;
}

}  // namespace tcmufs::scsi
