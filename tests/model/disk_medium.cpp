// The commands of the medium: SBC-3 clause 5.
#include <algorithm>

#include "disk.h"
#include "policy.h"

namespace tcmufs::model {

namespace {

constexpr u64 no_limit = ~u64{0};

/// GOOD; the buffer was data-out.
Expectation taken() {
  return {};
}

}  // namespace

std::optional<Problem> Disk::range_problem(u64 lba, Wide blocks, u64 limit, unsigned length_byte) const {
  if (lba + blocks > this->blocks()) return problem::out_of_range.with(std::max(lba, this->blocks()));
  if (blocks > limit) return problem::cdb(length_byte);
  return std::nullopt;
}

Expectation Disk::to_medium(const Entry& entry, const Bytes& cdb, const Bytes& buffer) {
  const Target target = target_of(entry, cdb);
  const unsigned check = target.flags >> 1 & 3;  // BYTCHK
  if (entry.verb == Verb::verify && check == 2) return refusal(problem::cdb(1, 2));
  if (entry.verb == Verb::write_same) return write_same(target, buffer);

  const bool touches = entry.verb == Verb::synchronize || entry.verb == Verb::pre_fetch;
  const u64 limit = touches                                 ? no_limit
                    : entry.verb == Verb::compare_and_write ? limits_.compare_and_write
                                                            : limits_.transfer;
  if (const auto wrong = range_problem(target.lba, target.blocks, limit, target.length_byte))
    return refusal(*wrong);
  switch (entry.verb) {
    case Verb::synchronize: {
      Expectation result = reply({}, 0);
      result.flush = Expectation::Flush::after;
      return result;
    }
    case Verb::pre_fetch:
      return reply({}, 0);
    case Verb::read:
      return read(target, buffer);
    case Verb::verify:
      return verify(target, buffer);
    case Verb::compare_and_write:
      return compare_and_write(target, buffer);
    default:
      return written(entry.verb, target, buffer);
  }
}

Expectation Disk::read(const Target& target, const Bytes& buffer) const {
  const bool force = (target.flags & 0x08) != 0;  // FUA
  const u64 room = std::min<u64>(buffer.size(), target.blocks * block_bytes());
  const u64 touched = (room + block_bytes() - 1) / block_bytes();
  Expectation result = reply(medium_.read(target.lba, touched), room);
  if (force && room > 0) result.flush = Expectation::Flush::before;
  return result;
}

/// WRITE, WRITE AND VERIFY, ORWRITE.
Expectation Disk::written(Verb verb, const Target& target, const Bytes& buffer) {
  const u64 length = target.blocks * block_bytes();
  if (length == 0) return taken();
  if (buffer.size() < length) return refusal(problem::cdb(target.length_byte));
  Expectation result = taken();
  result.changes = {{target.lba, target.blocks}};
  const bool force = (target.flags & 0x08) != 0;
  if (force || verb == Verb::write_and_verify) result.flush = Expectation::Flush::after;
  if (hopeless(result)) return result;

  Bytes data = part(buffer, 0, length);
  if (verb == Verb::orwrite) {
    const Bytes there = medium_.read(target.lba, target.blocks);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<u8>(data[i] | there[i]);
  }
  medium_.write(target.lba, data);
  return result;
}

Expectation Disk::verify(const Target& target, const Bytes& buffer) const {
  const unsigned check = target.flags >> 1 & 3;
  if (target.blocks == 0 || check == 0) return reply({}, 0);
  const u64 needed = check == 1 ? target.blocks * block_bytes() : block_bytes();
  if (buffer.size() < needed) return refusal(problem::cdb(target.length_byte));
  for (u64 i = 0; i < target.blocks; ++i) {
    const Bytes wanted = part(buffer, check == 1 ? i * block_bytes() : 0, block_bytes());
    if (medium_.block(target.lba + i) != wanted) return refusal(problem::miscompare);
  }
  return taken();
}

Expectation Disk::compare_and_write(const Target& target, const Bytes& buffer) {
  const u64 length = target.blocks * block_bytes();
  if (length == 0) return taken();
  if (buffer.size() != 2 * length) return refusal(problem::cdb(target.length_byte));
  Expectation result = taken();
  result.changes = {{target.lba, target.blocks}};
  if ((target.flags & 0x08) != 0) result.flush = Expectation::Flush::after;
  if (hopeless(result)) return result;  // not even compared

  const Bytes there = medium_.read(target.lba, target.blocks);
  const auto differs = std::mismatch(there.begin(), there.end(), buffer.begin()).first;
  if (differs != there.end())
    return refusal(problem::miscompare.with(static_cast<u64>(differs - there.begin())));
  medium_.write(target.lba, part(buffer, length, length));
  return result;
}

Expectation Disk::write_same(Target target, const Bytes& buffer) {
  if (target.blocks == 0 && policy::write_same_needs_a_length)
    return refusal(problem::cdb(target.length_byte));
  if (target.blocks == 0 && target.lba <= blocks()) target.blocks = blocks() - target.lba;
  if (const auto wrong = range_problem(target.lba, target.blocks, limits_.write_same, target.length_byte)) {
    return refusal(*wrong);
  }
  const bool data_out = (target.flags & 0x01) == 0;  // NDOB
  if (data_out && buffer.size() != block_bytes()) return refusal(problem::cdb(target.length_byte));
  Expectation result = taken();
  if (target.blocks == 0) return result;
  result.changes = {{target.lba, target.blocks}};
  if (hopeless(result)) return result;
  const bool zeros =
      !data_out || std::all_of(buffer.begin(), buffer.end(), [](u8 byte) { return byte == 0; });
  const bool unmap = (target.flags & 0x08) != 0;
  if (!zeros) {
    medium_.repeat(target.lba, target.blocks, buffer);
  } else if (unmap) {
    medium_.discard(target.lba, target.blocks);
  } else {
    medium_.zero(target.lba, target.blocks);
  }
  return result;
}

}  // namespace tcmufs::model
