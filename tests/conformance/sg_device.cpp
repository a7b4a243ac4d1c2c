#include "sg_device.h"

#include <linux/fs.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <variant>
#include <vector>

namespace tcmufs::test {

namespace {

constexpr int driver_version = 30536;
constexpr unsigned long get_bus_number = 0x5386;  // SCSI_IOCTL_GET_BUS_NUMBER
constexpr int reserved_bytes = 1 << 20;
constexpr u8 stale = 0xee;

u64 environment(const char* name, u64 otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::strtoull(value, nullptr, 0) : otherwise;
}

template <typename Number>
int give(void* argument, Number number) {
  std::memcpy(argument, &number, sizeof number);
  return 0;
}

/// The caller's memory, one piece or several.
std::vector<iovec> user_pieces(const sg_io_hdr& header) {
  if (header.iovec_count == 0) return {{header.dxferp, header.dxfer_len}};
  const auto* first = static_cast<const sg_iovec_t*>(header.dxferp);
  std::vector<iovec> pieces;
  std::for_each(first, first + header.iovec_count, [&pieces](const sg_iovec_t& piece) {
    pieces.push_back({piece.iov_base, piece.iov_len});
  });
  return pieces;
}

template <typename Copy>
void for_each_piece(const sg_io_hdr& header, std::size_t limit, Copy copy) {
  std::size_t done = 0;
  for (const iovec& piece : user_pieces(header)) {
    const std::size_t length = std::min(piece.iov_len, limit - done);
    if (length > 0) copy(done, static_cast<u8*>(piece.iov_base), length);
    done += length;
  }
}

void answer(sg_io_hdr& header, const scsi::Response& response) {
  constexpr unsigned short driver_sense = 0x08;
  header.status = static_cast<unsigned char>(response.status);
  header.masked_status = static_cast<unsigned char>(header.status >> 1 & 0x1f);
  header.msg_status = 0;
  header.host_status = 0;
  const auto sense = response.sense.span();
  const std::size_t given = header.sbp == nullptr ? 0 : std::min<std::size_t>(sense.size(), header.mx_sb_len);
  if (given > 0) std::memcpy(header.sbp, sense.data(), given);
  header.sb_len_wr = static_cast<unsigned char>(given);
  header.driver_status = given > 0 ? driver_sense : 0;
  header.info = header.status != 0 ? SG_INFO_CHECK : SG_INFO_OK;
}

}  // namespace

scsi::Format SgDevice::format_of_environment() {
  scsi::Format format;
  format.block_size_bytes = static_cast<u32>(environment("TCMUFS_SG_BLOCK", 512));
  format.physical_block_size_bytes = static_cast<u32>(environment("TCMUFS_SG_PHYSICAL", 4096));
  format.allocation_unit_bytes = 4096;  // of the memory store
  format.size_bytes = environment("TCMUFS_SG_SIZE", u64{64} << 20);
  return format;
}

int SgDevice::control(unsigned long request, void* argument) {
  switch (request) {
    case SG_IO:
      return sg_io(unit_, store_, *static_cast<sg_io_hdr*>(argument));
    case SG_GET_VERSION_NUM:
      return give(argument, driver_version);
    case SG_GET_RESERVED_SIZE:
      return give(argument, reserved_bytes);
    case SG_SET_RESERVED_SIZE:
    case SG_SET_TIMEOUT:
      return 0;
    case SG_EMULATED_HOST:
    case get_bus_number:
      return give(argument, 0);
    case BLKSECTGET:
      return give(argument, static_cast<unsigned short>(2048));
    case BLKSSZGET:
      return give(argument, static_cast<int>(format_.block_size_bytes));
    case BLKGETSIZE64:
      return give(argument, format_.size_bytes);
    default:
      return -ENOTTY;
  }
}

/// As the kernel does it: the unit works on a data area that still holds what others left there, and only the
/// valid bytes reach the caller.
int sg_io(scsi::LogicalUnit& unit, store::BlockStore& store, sg_io_hdr& header) {
  if (header.interface_id != 'S') return -EINVAL;
  const bool in =
      header.dxfer_direction == SG_DXFER_FROM_DEV || header.dxfer_direction == SG_DXFER_TO_FROM_DEV;
  const bool out =
      header.dxfer_direction == SG_DXFER_TO_DEV || header.dxfer_direction == SG_DXFER_TO_FROM_DEV;
  std::vector<u8> area(in || out ? header.dxfer_len : 0, stale);
  if (out) {
    for_each_piece(header, area.size(), [&area](std::size_t offset, u8* memory, std::size_t length) {
      std::copy_n(memory, length, area.begin() + static_cast<std::ptrdiff_t>(offset));
    });
  }
  const iovec buffer{area.data(), area.size()};
  const scsi::Command command{{header.cmdp, header.cmd_len}, {&buffer, area.empty() ? 0u : 1u}};
  auto outcome = unit.start(command);
  const scsi::Response response = std::holds_alternative<scsi::Response>(outcome)
                                      ? std::get<scsi::Response>(outcome)
                                      : unit.execute(std::get<scsi::Plan>(outcome), command, store);
  header.resid = 0;
  if (in) {
    const std::size_t valid = std::min(response.data_in_bytes.value_or(area.size()), area.size());
    for_each_piece(header, valid, [&area](std::size_t offset, u8* memory, std::size_t length) {
      std::copy_n(area.begin() + static_cast<std::ptrdiff_t>(offset), length, memory);
    });
    header.resid = static_cast<int>(area.size() - valid);
  }
  answer(header, response);
  return 0;
}

}  // namespace tcmufs::test
