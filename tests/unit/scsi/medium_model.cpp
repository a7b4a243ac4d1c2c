#include "medium_model.h"

#include <algorithm>
#include <map>

namespace tcmufs::scsi::test {

namespace {

constexpr SenseCode not_started{0x2, 0x04, 0x02};
constexpr SenseCode protected_by_software{0x7, 0x27, 0x02};

struct Command {
  enum class Kind { read, write, verify, write_verify, orwrite, same, unmap, compare_and_write, touch } kind;
  u8 flags;  // of byte 1 that are allowed
  std::vector<unsigned> zero_bytes;
  unsigned group_byte;  // or 0
};

bool writes(Command::Kind kind) {
  return kind != Command::Kind::read && kind != Command::Kind::verify && kind != Command::Kind::touch;
}

const std::map<u8, Command>& commands() {
  using enum Command::Kind;
  static const std::map<u8, Command> all = {
      {0x08, {read, 0x1f, {5}, 0}},           {0x0a, {write, 0x1f, {5}, 0}},
      {0x28, {read, 0x18, {9}, 6}},           {0x2a, {write, 0x18, {9}, 6}},
      {0x2e, {write_verify, 0x12, {9}, 6}},   {0x2f, {verify, 0x16, {9}, 6}},
      {0x34, {touch, 0x02, {9}, 6}},          {0x35, {touch, 0x02, {9}, 6}},
      {0x41, {same, 0x08, {9}, 6}},           {0x42, {unmap, 0x00, {2, 3, 4, 5, 9}, 6}},
      {0x88, {read, 0x18, {15}, 14}},         {0x89, {compare_and_write, 0x18, {10, 11, 12, 15}, 14}},
      {0x8a, {write, 0x18, {15}, 14}},        {0x8b, {orwrite, 0x18, {15}, 14}},
      {0x8e, {write_verify, 0x12, {15}, 14}}, {0x8f, {verify, 0x16, {15}, 14}},
      {0x90, {touch, 0x02, {15}, 14}},        {0x91, {touch, 0x02, {15}, 14}},
      {0x93, {same, 0x09, {15}, 14}},         {0xa8, {read, 0x18, {11}, 10}},
      {0xaa, {write, 0x18, {11}, 10}},        {0xae, {write_verify, 0x12, {11}, 10}},
      {0xaf, {verify, 0x16, {11}, 10}},
  };
  return all;
}

unsigned cdb_length(u8 opcode) {
  if (opcode < 0x20) return 6;
  if (opcode < 0x60) return 10;
  return opcode < 0xa0 ? 16 : 12;
}

void overwrite(Bytes& medium, std::size_t offset, const Bytes& data) {
  std::copy(data.begin(), data.end(), medium.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

MediumModel::Decoded MediumModel::decode(const Bytes& cdb) {
  switch (cdb_length(cdb[0])) {
    case 6:
      return {number(cdb, 1, 3), cdb[4] == 0 ? 256u : cdb[4], 0};
    case 10:
      return {number(cdb, 2, 4), number(cdb, 7, 2), cdb[1]};
    case 12:
      return {number(cdb, 2, 4), number(cdb, 6, 4), cdb[1]};
    default:
      return {number(cdb, 2, 8), cdb[0] == 0x89 ? cdb[13] : number(cdb, 10, 4), cdb[1]};
  }
}

bool MediumModel::inside(Wide lba, Wide count) const {
  return lba + count <= blocks();
}

std::optional<MediumModel::Prediction> MediumModel::predict(const Bytes& cdb, const Bytes& buffer) {
  if (cdb.empty() || !commands().contains(cdb[0])) return std::nullopt;
  const Command& command = commands().at(cdb[0]);
  if (cdb.size() < cdb_length(cdb[0])) return Prediction{invalid_field, {}};
  if ((cdb[1] & ~command.flags) != 0) return Prediction{invalid_field, {}};
  for (const unsigned byte : command.zero_bytes) {
    if (cdb[byte] != 0) return Prediction{invalid_field, {}};
  }
  if (command.group_byte != 0 && cdb[command.group_byte] > 31) return Prediction{invalid_field, {}};
  if (stopped) return Prediction{not_started, {}};
  if (write_protected && writes(command.kind)) return Prediction{protected_by_software, {}};
  if (command.kind == Command::Kind::unmap) return Prediction{unmap(cdb, buffer), {}};
  return transfer(cdb, buffer);
}

MediumModel::Prediction MediumModel::transfer(const Bytes& cdb, const Bytes& buffer) {
  using enum Command::Kind;
  const Command::Kind kind = commands().at(cdb[0]).kind;
  const Decoded asked = decode(cdb);
  const u8 check = static_cast<u8>(asked.flags >> 1 & 3);
  if (kind == verify && check == 2) return {invalid_field, {}};
  if (kind == same && asked.count == 0) return {invalid_field, {}};
  if (!inside(asked.lba, asked.count)) return {out_of_range, {}};
  if (kind == touch) return {{}, {}};

  const auto offset = static_cast<std::size_t>(asked.lba) * block_size;
  const auto length = static_cast<std::size_t>(asked.count) * block_size;
  const Bytes there = slice(medium, offset, length);
  if (kind == read) return {{}, slice(there, 0, std::min(length, buffer.size()))};
  if (kind == same) {
    const bool no_data = (asked.flags & 1) != 0;
    if (!no_data && buffer.size() != block_size) return {invalid_field, {}};
    const Bytes block = no_data ? Bytes(block_size) : buffer;
    for (std::size_t at = 0; at < length; at += block_size) overwrite(medium, offset + at, block);
    return {{}, {}};
  }
  if (kind == compare_and_write) {
    if (length != 0 && buffer.size() != 2 * length) return {invalid_field, {}};
    if (length != 0 && slice(buffer, 0, length) != there) return {miscompare, {}};
    if (length != 0) overwrite(medium, offset, slice(buffer, length, length));
    return {{}, {}};
  }
  if (kind == verify && check == 0) return {{}, {}};
  if (kind == verify && check == 3) {
    if (length == 0) return {{}, {}};
    if (buffer.size() < block_size) return {invalid_field, {}};
    for (std::size_t at = 0; at < length; at += block_size) {
      if (slice(there, at, block_size) != slice(buffer, 0, block_size)) return {miscompare, {}};
    }
    return {{}, {}};
  }
  if (buffer.size() < length) return {invalid_field, {}};
  Bytes data = slice(buffer, 0, length);
  if (kind == verify) return {data == there ? SenseCode{} : miscompare, {}};
  if (kind == orwrite) {
    for (std::size_t i = 0; i < length; ++i) data[i] = static_cast<u8>(data[i] | there[i]);
  }
  overwrite(medium, offset, data);
  return {{}, {}};
}

SenseCode MediumModel::unmap(const Bytes& cdb, const Bytes& buffer) {
  const std::size_t length = number(cdb, 7, 2);
  if (length == 0) return {};
  if (length < 8 || buffer.size() < 8) return list_length_error;
  const std::size_t count = std::min<std::size_t>(number(buffer, 2, 2), length - 8) / 16;
  if (count > 256) return invalid_parameter;
  if (buffer.size() < 8 + count * 16) return list_length_error;
  Wide total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!inside(number(buffer, 8 + i * 16, 8), number(buffer, 16 + i * 16, 4))) return out_of_range;
    total += number(buffer, 16 + i * 16, 4);
    if (total > 1u << 20) return invalid_parameter;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t offset = number(buffer, 8 + i * 16, 8) * block_size;
    overwrite(medium, offset, Bytes(number(buffer, 16 + i * 16, 4) * block_size));
  }
  return {};
}

}  // namespace tcmufs::scsi::test
