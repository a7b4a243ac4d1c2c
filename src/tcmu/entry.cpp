#include "tcmu/entry.h"

#include <algorithm>
#include <cstring>

namespace tcmufs::tcmu {

namespace {

constexpr u8 variable_length_opcode = 0x7f;

std::string add_pieces(std::span<const std::byte> table, const RingMemory& memory, u64& room_bytes,
                       std::vector<iovec>& to) {
  to.clear();
  for (std::size_t at = 0; at < table.size(); at += sizeof(abi::DataPiece)) {
    abi::DataPiece piece;
    std::memcpy(&piece, table.data() + at, sizeof piece);
    std::byte* const bytes = memory.data(piece.offset, piece.length_bytes);
    if (bytes == nullptr) {
      return "its buffer has " + std::to_string(piece.length_bytes) + " bytes at " +
             std::to_string(piece.offset) + ", outside the data area";
    }
    if (piece.length_bytes > room_bytes) return "its buffers are larger than the data area together";
    room_bytes -= piece.length_bytes;
    to.push_back({bytes, static_cast<std::size_t>(piece.length_bytes)});
  }
  return {};
}

}  // namespace

std::optional<u16> cdb_length(std::span<const std::byte> room) noexcept {
  if (room.empty()) return std::nullopt;
  const auto opcode = std::to_integer<u8>(room[0]);
  std::size_t length = 0;
  if (opcode == variable_length_opcode) {
    if (room.size() < 8) return std::nullopt;
    length = 8U + std::to_integer<u8>(room[7]);
  } else {
    switch (opcode >> 5) {
      case 0:
        length = 6;
        break;
      case 1:
      case 2:
        length = 10;
        break;
      case 4:
        length = 16;
        break;
      case 5:
        length = 12;
        break;
      default:
        length = std::min<std::size_t>(room.size(), 16);
    }
  }
  if (length > room.size() || length > std::tuple_size_v<decltype(RingCommand::cdb)>) return std::nullopt;
  return static_cast<u16>(length);
}

std::string read_command(std::span<const std::byte> entry, u32 position, const RingMemory& memory,
                         RingCommand& command, std::vector<iovec>& bidi_in) {
  abi::Request request;
  std::memcpy(&request, entry.data(), sizeof request);
  const std::span<const std::byte> pieces = entry.subspan(sizeof request);
  const u64 count = u64{request.iov_cnt} + request.iov_bidi_cnt;
  if (count > pieces.size() / sizeof(abi::DataPiece)) {
    return "it holds no " + std::to_string(count) + " buffers in " + std::to_string(entry.size()) + " bytes";
  }
  const std::size_t out_bytes = request.iov_cnt * sizeof(abi::DataPiece);
  const std::size_t all_bytes = static_cast<std::size_t>(count) * sizeof(abi::DataPiece);

  // The CDB is behind both the pieces and the response, so that the response never overlays it.
  const u64 start = memory.offset_of(position);
  const std::size_t lowest = std::max(sizeof request + all_bytes, sizeof(abi::Response));
  if (request.cdb_off < start + lowest || request.cdb_off >= start + entry.size()) {
    return "its CDB is at " + std::to_string(request.cdb_off) + ", outside of it";
  }
  const std::span<const std::byte> room = entry.subspan(static_cast<std::size_t>(request.cdb_off - start));
  const std::optional<u16> length = cdb_length(room);
  if (!length) return "its CDB does not fit into " + std::to_string(room.size()) + " bytes";

  command.id = request.hdr.cmd_id;
  command.cdb_length = *length;
  std::memcpy(command.cdb.data(), room.data(), *length);
  u64 room_bytes = memory.data_size_bytes();
  std::string fault = add_pieces(pieces.first(out_bytes), memory, room_bytes, command.buffer);
  if (!fault.empty()) return fault;
  return add_pieces(pieces.subspan(out_bytes, all_bytes - out_bytes), memory, room_bytes, bidi_in);
}

}  // namespace tcmufs::tcmu
