#include "test_disk.h"

#include <algorithm>
#include <iomanip>
#include <ostream>

namespace tcmufs::scsi::test {

std::ostream& operator<<(std::ostream& out, const SenseCode& sense) {
  return out << std::hex << sense.key << "/" << sense.code << "/" << sense.qualifier << std::dec;
}

SenseCode sense_code(std::span<const u8> sense) {
  if (sense.size() < 4) return {};
  if (sense[0] == 0x72) return {sense[1], sense[2], sense[3]};
  return {sense[2] & 0x0fu, sense[12], sense[13]};
}

std::pair<int, int> Reply::field() const {
  if (sense_bytes.size() < 18 || (sense_bytes[15] & 0x80) == 0) return {-1, -1};
  const int bit = (sense_bytes[15] & 0x08) != 0 ? sense_bytes[15] & 0x07 : -1;
  return {sense_bytes[16] << 8 | sense_bytes[17], bit};
}

std::optional<u64> Reply::information() const {
  if (sense_bytes.empty() || sense_bytes[0] != 0xf0) return std::nullopt;
  return number(sense_bytes, 3, 4);
}

PiecedBuffer::PiecedBuffer(Bytes bytes) : bytes_(std::move(bytes)) {
  std::size_t size = 1;
  for (std::size_t at = 0; at < bytes_.size(); at += size) {
    size = std::min<std::size_t>(at == 0 ? 3 : at * 2 + 1, bytes_.size() - at);
    pieces_.push_back({bytes_.data() + at, size});
    pieces_.push_back({nullptr, 0});
  }
}

Reply TestDisk::run(const Command& command) {
  auto outcome = unit.start(command);
  const Response response = std::holds_alternative<Response>(outcome)
                                ? std::get<Response>(outcome)
                                : unit.execute(std::get<Plan>(outcome), command, store);
  Reply reply;
  reply.status = response.status;
  reply.data_in_bytes = response.data_in_bytes;
  const auto sense = response.sense.span();
  reply.sense_bytes.assign(sense.begin(), sense.end());
  reply.sense = sense_code(sense);
  EXPECT_EQ(response.status == Status::check_condition, !sense.empty());
  return reply;
}

Reply TestDisk::send(Bytes cdb, Bytes data_out) {
  const PiecedBuffer buffer(std::move(data_out));
  return run({cdb, buffer.pieces()});
}

Reply TestDisk::ask(Bytes cdb, std::size_t room, u8 canary) {
  const PiecedBuffer buffer(Bytes(room, canary));
  Reply reply = run({cdb, buffer.pieces()});
  const std::size_t valid = reply.data_in_bytes.value_or(0);
  EXPECT_LE(valid, room);
  reply.data = slice(buffer.bytes(), 0, valid);
  return reply;
}

Bytes big_endian(u64 value, unsigned width) {
  Bytes bytes(width);
  for (unsigned i = width; i-- > 0; value >>= 8) bytes[i] = static_cast<u8>(value);
  return bytes;
}

u64 number(std::span<const u8> bytes, std::size_t offset, unsigned width) {
  u64 value = 0;
  for (std::size_t i = offset; i < offset + width && i < bytes.size(); ++i) value = value << 8 | bytes[i];
  return value;
}

Bytes join(std::initializer_list<Bytes> parts) {
  Bytes result;
  for (const Bytes& part : parts) result.insert(result.end(), part.begin(), part.end());
  return result;
}

Bytes blocks_of(u8 byte, std::size_t blocks, std::size_t block_size) {
  return Bytes(blocks * block_size, byte);
}

std::vector<u8> slice(const Bytes& bytes, std::size_t offset, std::size_t length) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  return {begin, begin + static_cast<std::ptrdiff_t>(length)};
}

Bytes cdb_6(u8 opcode, u32 lba, u8 blocks) {
  return join({{opcode}, big_endian(lba, 3), {blocks, 0}});
}
Bytes cdb_10(u8 opcode, u8 flags, u32 lba, u16 blocks) {
  return join({{opcode, flags}, big_endian(lba, 4), {0}, big_endian(blocks, 2), {0}});
}
Bytes cdb_12(u8 opcode, u8 flags, u32 lba, u32 blocks) {
  return join({{opcode, flags}, big_endian(lba, 4), big_endian(blocks, 4), {0, 0}});
}
Bytes cdb_16(u8 opcode, u8 flags, u64 lba, u32 blocks) {
  return join({{opcode, flags}, big_endian(lba, 8), big_endian(blocks, 4), {0, 0}});
}
Bytes inquiry(u16 allocation_length) {
  return join({{0x12, 0, 0}, big_endian(allocation_length, 2), {0}});
}
Bytes inquiry_page(u8 page, u16 allocation_length) {
  return join({{0x12, 1, page}, big_endian(allocation_length, 2), {0}});
}
Bytes test_unit_ready() {
  return Bytes(6);
}
Bytes synchronize_cache() {
  return cdb_10(0x35, 0, 0, 0);
}
Bytes mode_sense_6(u8 page, u8 allocation_length, u8 flags) {
  return {0x1a, flags, page, 0, allocation_length, 0};
}
Bytes mode_select_6(u8 length, u8 flags) {
  return {0x15, flags, 0, 0, length, 0};
}
Bytes read_capacity_16(u32 allocation_length) {
  return join({{0x9e, 0x10}, Bytes(8), big_endian(allocation_length, 4), {0, 0}});
}

}  // namespace tcmufs::scsi::test
