#include <limits>
#include <optional>

#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/page.h"

namespace tcmufs::scsi {

namespace {

struct StatusHeader {  // SBC-3, GET LBA STATUS parameter data
  Be32 length;         // of what follows this field
  Be32 reserved;
};
static_assert(sizeof(StatusHeader) == 8);

struct StatusDescriptor {
  Be64 lba;
  Be32 blocks;
  u8 status = 0;
  Be24 reserved;
};
static_assert(sizeof(StatusDescriptor) == 16);

constexpr std::size_t descriptor_limit = 64;
/// Stretches of the store looked at for one command.
constexpr unsigned look_limit = 256;

struct Stretch {
  u64 blocks;
  bool mapped;
};

/// The blocks from `lba` on that are alike. One which is a hole in part only is mapped.
std::variant<Stretch, Sense> stretch_at(store::BlockStore& store, const Geometry& geometry, u64 lba) {
  const u64 block_size = geometry.block_size_bytes();
  store::BlockStore::Extent extent{};
  if (const auto error = store.extent(lba * block_size, extent)) return sense_of(error, Direction::reading);
  const u64 whole = extent.length_bytes / block_size;
  if (!extent.mapped && whole == 0) return Stretch{1, true};
  const u64 started = extent.length_bytes % block_size == 0 ? whole : whole + 1;
  const u64 blocks = std::min(extent.mapped ? started : whole, geometry.blocks() - lba);
  return Stretch{std::max<u64>(blocks, 1), extent.mapped};
}

struct BlockStatus {
  u64 lba;
  u64 blocks;
  bool mapped;
};

using StatusPage = Page<sizeof(StatusHeader) + descriptor_limit * sizeof(StatusDescriptor)>;

void append(StatusPage& page, const BlockStatus& status) {
  constexpr u8 mapped = 0, deallocated = 1;
  StatusDescriptor descriptor;
  descriptor.lba = status.lba;
  descriptor.blocks = static_cast<u32>(std::min<u64>(status.blocks, std::numeric_limits<u32>::max()));
  descriptor.status = status.mapped ? mapped : deallocated;
  page.append_structure(descriptor);
}

std::optional<Sense> append_stretches(StatusPage& page, store::BlockStore& store, const Geometry& geometry,
                                      u64 lba, std::size_t wanted) {
  std::optional<BlockStatus> open;
  for (unsigned looks = 0; lba < geometry.blocks() && looks < look_limit; ++looks) {
    const auto found = stretch_at(store, geometry, lba);
    if (const auto* sense = std::get_if<Sense>(&found)) return *sense;
    const auto& stretch = std::get<Stretch>(found);
    if (open && open->mapped == stretch.mapped) {
      open->blocks += stretch.blocks;
    } else {
      if (open) append(page, *open);
      if (open && (--wanted == 0 || open->blocks > std::numeric_limits<u32>::max())) return std::nullopt;
      open = BlockStatus{lba, stretch.blocks, stretch.mapped};
    }
    lba += stretch.blocks;
  }
  if (open) append(page, *open);
  return std::nullopt;
}

Result report(const Execution& execution) {
  const auto cdb = structure_from<ServiceActionIn16Cdb>(execution.command.cdb);
  const Geometry geometry = execution.device.state().geometry;
  const u32 asked = cdb.allocation_length;
  const std::size_t room =
      asked > sizeof(StatusHeader) ? (asked - sizeof(StatusHeader)) / sizeof(StatusDescriptor) : 0;
  StatusPage page;
  page.append_structure(StatusHeader{});
  if (const auto wrong = append_stretches(page, execution.store, geometry, cdb.lba,
                                          std::clamp<std::size_t>(room, 1, descriptor_limit))) {
    return *wrong;
  }
  page.set_16(2, page.size() - 4);
  return reply(execution.command, page.bytes(), asked);
}

}  // namespace

Answer get_lba_status(const Request& request) {
  const auto cdb = structure_from<ServiceActionIn16Cdb>(request.cdb());
  if (cdb.lba >= request.state.geometry.blocks()) return sense::lba_out_of_range.with_information(cdb.lba);
  return Plan::compound(report);
}

}  // namespace tcmufs::scsi
