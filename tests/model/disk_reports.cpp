// What the disk says of itself besides INQUIRY and modes.
#include <algorithm>
#include <bit>

#include "disk.h"
#include "policy.h"

namespace tcmufs::model {

Expectation Disk::read_capacity_10(const Bytes& cdb) const {
  const u64 lba = number(cdb, 2, 4), last = blocks() - 1;
  const bool partial = (cdb[8] & 1) != 0;  // PMI
  if (!partial && lba != 0) return refusal(problem::cdb(2));
  if (lba > last) return refusal(problem::out_of_range.with(lba));
  return reply(join({field(std::min<u64>(last, 0xffffffff), 4), field(block_bytes(), 4)}), 8);
}

Expectation Disk::read_capacity_16(const Bytes& cdb) const {
  const auto exponent = static_cast<u8>(std::bit_width(physical_blocks_) - 1);
  Bytes data =
      join({field(blocks() - 1, 8), field(block_bytes(), 4), {0, exponent, 0xc0, 0}});  // LBPME, LBPRZ
  data.resize(32);
  return reply(data, number(cdb, 10, 4));
}

Expectation Disk::log_sense(const Bytes& cdb) const {
  constexpr u8 all_subpages = 0xff;
  const auto code = static_cast<u8>(cdb[2] & 0x3f);
  const u8 subpage = cdb[3];
  const u64 first = number(cdb, 5, 2);  // PARAMETER POINTER
  if (std::find(policy::log_pages.begin(), policy::log_pages.end(), code) == policy::log_pages.end()) {
    return refusal(problem::cdb(2, 5));
  }
  if (subpage != 0 && !(code == 0 && subpage == all_subpages)) return refusal(problem::cdb(3));
  const u64 last = code == 0x0c ? 2 : code == 0x0d ? 1 : 0;
  if (first > last) return refusal(problem::cdb(5));

  Bytes header = {code, subpage}, parameters;
  const auto blocks_of = [this](u64 bytes) {
    return field(std::min<u64>(bytes / block_bytes(), 0xffffffff), 4);
  };
  const auto append = [&](u64 number, const Bytes& value) {
    if (number < first) return;
    parameters = join({parameters, field(number, 2), {0x03, static_cast<u8>(value.size())}, value});
  };
  switch (code) {
    case 0x0c:
      header[0] |= 0x80;                                                    // DS
      append(1, join({blocks_of(policy::available_bytes), {2, 0, 0, 0}}));  // shared by others
      append(2, join({blocks_of(medium_.space_bytes()), {1, 0, 0, 0}}));
      break;
    case 0x0d:
      for (const u64 each : {u64{0}, u64{1}}) append(each, {0, 0xff});  // unknown
      break;
    case 0x2f:
      append(0, {0, 0, 0xff});
      break;
    default:
      if (subpage == 0) parameters = policy::log_pages;
      if (subpage == 0) break;
      header[0] |= 0x40;  // SPF
      for (const u8 page : policy::log_pages) {
        parameters = join({parameters, {page, 0}});
        if (page == 0) parameters = join({parameters, {page, all_subpages}});
      }
  }
  return reply(join({header, field(parameters.size(), 2), parameters}), number(cdb, 7, 2));
}

namespace {

const Bytes timeouts = join({field(10, 2), Bytes(10)});

Bytes all_opcodes(bool with_timeouts) {
  Bytes list;
  for (const Entry& entry : entries()) {
    const unsigned action = entry.action >= 0 ? static_cast<unsigned>(entry.action) : 0;
    const auto flags = static_cast<u8>((entry.action >= 0 ? 1 : 0) | (with_timeouts ? 2 : 0));
    const Bytes descriptor =
        join({{entry.opcode, 0}, field(action, 2), {0, flags}, field(entry.allowed.size(), 2)});
    list.insert(list.end(), descriptor.begin(), descriptor.end());
    if (with_timeouts) list.insert(list.end(), timeouts.begin(), timeouts.end());
  }
  return join({field(list.size(), 4), list});
}

Bytes one_opcode(const Entry* entry, bool with_timeouts) {
  if (entry == nullptr) return {0, 1, 0, 0};
  const auto support = static_cast<u8>(3 | (with_timeouts ? 0x80 : 0));
  const Bytes data = join({{0, support}, field(entry->allowed.size(), 2), entry->allowed});
  return with_timeouts ? join({data, timeouts}) : data;
}

}  // namespace

Expectation Disk::report_opcodes(const Bytes& cdb) const {
  const bool with_timeouts = (cdb[2] & 0x80) != 0;  // RCTD
  const u64 allocation = number(cdb, 6, 4);
  const int action = static_cast<int>(number(cdb, 4, 2));
  const auto known = entries_of(cdb[3]);
  const Entry* plain = !known.empty() && known.front()->action < 0 ? known.front() : nullptr;
  const Entry* chosen = nullptr;
  for (const Entry* entry : known) {
    if (entry->action == action) chosen = entry;
  }
  switch (cdb[2] & 7) {  // REPORTING OPTIONS
    case 0:
      return reply(all_opcodes(with_timeouts), allocation);
    case 1:
      if (!known.empty() && plain == nullptr) return refusal(problem::cdb(3));
      return reply(one_opcode(plain, with_timeouts), allocation);
    case 2:
      if (plain != nullptr) return refusal(problem::cdb(3));
      return reply(one_opcode(chosen, with_timeouts), allocation);
    case 3:
      return reply(one_opcode(plain != nullptr && action == 0 ? plain : chosen, with_timeouts), allocation);
    default:
      return refusal(problem::cdb(2, 2));
  }
}

}  // namespace tcmufs::model
