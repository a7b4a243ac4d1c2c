#include "volume/in_flight.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "scsi/opcode_table.h"

namespace tcmufs::volume {

namespace {

constexpr u64 ns_per_ms = 1'000'000;

/// Where a CDB has the address and the number of blocks; 0 bytes: it has none.
struct Fields {
  unsigned lba_at = 0;
  unsigned lba_bytes = 0;
  unsigned blocks_at = 0;
  unsigned blocks_bytes = 0;
};

Fields fields_of(std::span<const u8, 16> cdb) {
  switch (cdb[0]) {
    case 0x08:  // READ(6), WRITE(6)
    case 0x0a:
      return {1, 3, 4, 1};
    case 0x28:  // READ, WRITE, WRITE AND VERIFY, VERIFY, PRE-FETCH, SYNCHRONIZE CACHE, WRITE SAME (10)
    case 0x2a:
    case 0x2e:
    case 0x2f:
    case 0x34:
    case 0x35:
    case 0x41:
      return {2, 4, 7, 2};
    case 0xa8:  // READ, WRITE, WRITE AND VERIFY, VERIFY (12)
    case 0xaa:
    case 0xae:
    case 0xaf:
      return {2, 4, 6, 4};
    case 0x88:  // READ, WRITE, ORWRITE, WRITE AND VERIFY, VERIFY, PRE-FETCH, SYNCHRONIZE CACHE, WRITE SAME
                // (16)
    case 0x8a:
    case 0x8b:
    case 0x8e:
    case 0x8f:
    case 0x90:
    case 0x91:
    case 0x93:
      return {2, 8, 10, 4};
    case 0x89:  // COMPARE AND WRITE
      return {2, 8, 13, 1};
    default:
      return {};
  }
}

u64 number_at(std::span<const u8, 16> cdb, unsigned at, unsigned bytes) {
  u64 result = 0;
  for (const u8 byte : cdb.subspan(at, bytes)) result = result << 8 | byte;
  return result;
}

std::string hexadecimal(std::span<const u8> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const u8 byte : bytes) {
    if (!text.empty()) text += ' ';
    text += digits[byte >> 4];
    text += digits[byte & 0x0f];
  }
  return text;
}

}  // namespace

// The order of a sequence lock: whoever sees a word of the new CDB sees that the slot was freed before it.
void InFlight::begin(std::size_t slot, std::span<const u8, 16> cdb, u64 taken_ns) noexcept {
  Slot& to = slots_[slot];
  std::array<u64, 2> words{};
  std::memcpy(words.data(), cdb.data(), cdb.size());
  to.cdb[0].store(words[0], std::memory_order_release);
  to.cdb[1].store(words[1], std::memory_order_release);
  to.taken_ns.store(taken_ns, std::memory_order_release);
}

void InFlight::end(std::size_t slot) noexcept {
  slots_[slot].taken_ns.store(0, std::memory_order_relaxed);
}

std::vector<InFlightCommand> InFlight::commands() const {
  std::vector<InFlightCommand> result;
  for (const Slot& slot : slots_) {
    InFlightCommand command;
    command.taken_ns = slot.taken_ns.load(std::memory_order_acquire);
    if (command.taken_ns == 0) continue;
    const std::array<u64, 2> words = {slot.cdb[0].load(std::memory_order_acquire),
                                      slot.cdb[1].load(std::memory_order_acquire)};
    if (slot.taken_ns.load(std::memory_order_relaxed) != command.taken_ns) continue;  // finished meanwhile
    std::memcpy(command.cdb.data(), words.data(), command.cdb.size());
    result.push_back(command);
  }
  std::ranges::stable_sort(result, {}, &InFlightCommand::taken_ns);
  return result;
}

std::string cdb_text(std::span<const u8, 16> cdb) {
  const scsi::Row* row = scsi::row_of(cdb);
  if (row == nullptr) return hexadecimal(cdb);
  std::string text = row->name;
  const Fields fields = fields_of(cdb);
  if (fields.lba_bytes == 0) return text;
  u64 blocks = number_at(cdb, fields.blocks_at, fields.blocks_bytes);
  const bool six_bytes = row->length == 6;
  if (six_bytes && blocks == 0) blocks = 256;
  const u64 lba_mask = six_bytes ? 0x1fffff : ~u64{0};
  return text + " lba " + std::to_string(number_at(cdb, fields.lba_at, fields.lba_bytes) & lba_mask) +
         " blocks " + std::to_string(blocks);
}

std::string in_flight_text(const std::vector<InFlightCommand>& commands, u64 now_ns) {
  std::string text;
  for (const InFlightCommand& command : commands) {
    const u64 age_ns = now_ns > command.taken_ns ? now_ns - command.taken_ns : 0;
    text += std::to_string(age_ns / ns_per_ms) + " " + cdb_text(command.cdb) + "\n";
  }
  return text;
}

}  // namespace tcmufs::volume
