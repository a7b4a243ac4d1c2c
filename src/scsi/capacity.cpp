#include <algorithm>
#include <array>
#include <limits>

#include "scsi/cdb.h"
#include "scsi/handlers.h"

namespace tcmufs::scsi {

namespace {

struct Capacity10 {
  Be32 last_lba;
  Be32 block_size;
};
static_assert(sizeof(Capacity10) == 8);

struct Capacity16 {
  Be64 last_lba;
  Be32 block_size;
  u8 protection = 0;
  u8 exponents = 0;
  Be16 provisioning;
  std::array<u8, 16> reserved{};
};
static_assert(sizeof(Capacity16) == 32);

u64 last_lba(const Geometry& geometry) {
  return geometry.blocks() == 0 ? 0 : geometry.blocks() - 1;
}

}  // namespace

Answer read_capacity_10(const Request& request) {
  const auto cdb = structure_from<ReadCapacity10Cdb>(request.cdb());
  const Geometry& geometry = request.state.geometry;
  if (!cdb.partial_medium() && cdb.lba != 0) return sense::invalid_cdb_field(2);
  if (cdb.lba > last_lba(geometry)) return sense::lba_out_of_range.with_information(cdb.lba);

  constexpr u64 see_16 = std::numeric_limits<u32>::max();
  const Capacity10 data{static_cast<u32>(std::min(last_lba(geometry), see_16)), geometry.block_size_bytes()};
  return reply(request.command, bytes_of(data), sizeof data);
}

Answer read_capacity_16(const Request& request) {
  constexpr u16 managed = 0x8000, reads_zeros = 0x4000;  // LBPME, LBPRZ
  const auto cdb = structure_from<ServiceActionIn16Cdb>(request.cdb());
  const Geometry& geometry = request.state.geometry;
  Capacity16 data;
  data.last_lba = last_lba(geometry);
  data.block_size = geometry.block_size_bytes();
  data.exponents = geometry.physical_exponent();
  if (request.device.thin()) data.provisioning = managed | reads_zeros;
  return reply(request.command, bytes_of(data), cdb.allocation_length);
}

}  // namespace tcmufs::scsi
