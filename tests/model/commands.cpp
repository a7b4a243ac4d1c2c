#include "commands.h"

#include <algorithm>
#include <array>

namespace tcmufs::model {

namespace {

Bytes ones(std::size_t count) {
  return Bytes(count, 0xff);
}

Entry medium(u8 opcode, Verb verb, const char* name, u8 flags, Gate gate, bool data_out) {
  return {opcode, -1, verb, gate, data_out, name, usual(opcode, flags)};
}

void append_block_commands(std::vector<Entry>& all) {
  constexpr u8 dpo_fua = 0x18, verifying = 0x12, comparing = 0x16, immediate = 0x02;
  const auto reading = [&all](u8 opcode, Verb verb, const char* name, u8 flags, bool data_out = false) {
    all.push_back(medium(opcode, verb, name, flags, Gate::stopped, data_out));
  };
  const auto writing = [&all](u8 opcode, Verb verb, const char* name, u8 flags) {
    all.push_back(medium(opcode, verb, name, flags, Gate::protection, true));
  };
  for (const u8 opcode : Bytes{0x08, 0x28, 0x88, 0xa8}) reading(opcode, Verb::read, "READ", dpo_fua);
  for (const u8 opcode : Bytes{0x0a, 0x2a, 0x8a, 0xaa}) writing(opcode, Verb::write, "WRITE", dpo_fua);
  for (const u8 opcode : Bytes{0x2e, 0x8e, 0xae})
    writing(opcode, Verb::write_and_verify, "WRITE AND VERIFY", verifying);
  for (const u8 opcode : Bytes{0x2f, 0x8f, 0xaf}) reading(opcode, Verb::verify, "VERIFY", comparing, true);
  for (const u8 opcode : Bytes{0x34, 0x90}) reading(opcode, Verb::pre_fetch, "PRE-FETCH", immediate);
  for (const u8 opcode : Bytes{0x35, 0x91})
    reading(opcode, Verb::synchronize, "SYNCHRONIZE CACHE", immediate);
  writing(0x8b, Verb::orwrite, "ORWRITE", dpo_fua);
  writing(0x41, Verb::write_same, "WRITE SAME", 0x08);  // UNMAP
  writing(0x93, Verb::write_same, "WRITE SAME", 0x09);  // and NDOB
  all.push_back({0x89, -1, Verb::compare_and_write, Gate::protection, true, "COMPARE AND WRITE",
                 join({{0x89, dpo_fua}, ones(8), {0, 0, 0, 0xff, 0x1f, 0}})});
  all.push_back(
      {0x42, -1, Verb::unmap, Gate::protection, true, "UNMAP", {0x42, 0, 0, 0, 0, 0, 0x1f, 0xff, 0xff, 0}});
  all.push_back({0x9e, 0x12, Verb::lba_status, Gate::stopped, false, "GET LBA STATUS",
                 join({{0x9e, 0x12}, ones(12), {0, 0}})});
}

void append_primary_commands(std::vector<Entry>& all) {
  const auto add = [&all](Verb verb, Gate gate, const char* name, Bytes allowed, int action = -1,
                          bool data_out = false) {
    all.push_back({allowed[0], action, verb, gate, data_out, name, std::move(allowed)});
  };
  using enum Verb;
  add(test_unit_ready, Gate::stopped, "TEST UNIT READY", {0x00, 0, 0, 0, 0, 0});
  add(request_sense, Gate::nothing, "REQUEST SENSE", {0x03, 0x01, 0, 0, 0xff, 0});
  add(inquiry, Gate::nothing, "INQUIRY", {0x12, 0xe1, 0xff, 0xff, 0xff, 0});
  add(mode_select, Gate::attention, "MODE SELECT(6)", {0x15, 0x10, 0, 0, 0xff, 0}, -1, true);
  add(mode_sense, Gate::attention, "MODE SENSE(6)", {0x1a, 0x08, 0xff, 0xff, 0xff, 0});
  add(start_stop, Gate::attention, "START STOP UNIT", {0x1b, 0x01, 0, 0x0f, 0xf5, 0});
  add(prevent_removal, Gate::attention, "PREVENT ALLOW MEDIUM REMOVAL", {0x1e, 0, 0, 0, 0x03, 0});
  add(read_capacity_10, Gate::attention, "READ CAPACITY(10)", join({{0x25, 0}, ones(4), {0, 0, 0x01, 0}}));
  add(read_defects_10, Gate::stopped, "READ DEFECT DATA(10)", {0x37, 0, 0x1f, 0, 0, 0, 0, 0xff, 0xff, 0});
  add(log_sense, Gate::attention, "LOG SENSE", join({{0x4d, 0, 0xff, 0xff, 0}, ones(4), {0}}));
  add(mode_select, Gate::attention, "MODE SELECT(10)", {0x55, 0x10, 0, 0, 0, 0, 0, 0xff, 0xff, 0}, -1, true);
  add(mode_sense, Gate::attention, "MODE SENSE(10)", {0x5a, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0});
  add(read_capacity_16, Gate::attention, "READ CAPACITY(16)", join({{0x9e, 0x10}, Bytes(8), ones(4), {0, 0}}),
      0x10);
  add(report_luns, Gate::nothing, "REPORT LUNS", join({{0xa0, 0, 0xff, 0, 0, 0}, ones(4), {0, 0}}));
  add(report_opcodes, Gate::attention, "REPORT SUPPORTED OPERATION CODES",
      join({{0xa3, 0x0c, 0x87}, ones(7), {0, 0}}), 0x0c);
  add(report_tmfs, Gate::attention, "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
      join({{0xa3, 0x0d, 0x80, 0, 0, 0}, ones(4), {0, 0}}), 0x0d);
  add(read_defects_12, Gate::stopped, "READ DEFECT DATA(12)", join({{0xb7, 0x1f}, ones(8), {0, 0}}));
}

void append_reservations(std::vector<Entry>& all) {
  for (const u8 opcode : Bytes{0x16, 0x17}) {
    all.push_back(
        {opcode, -1, Verb::kernel, Gate::attention, false, "RESERVE, RELEASE", {opcode, 0, 0, 0, 0, 0}});
  }
  for (const u8 opcode : Bytes{0x56, 0x57}) {
    all.push_back(
        {opcode, -1, Verb::kernel, Gate::attention, false, "RESERVE, RELEASE", join({{opcode}, Bytes(9)})});
  }
  for (u8 action = 0; action < 4; ++action) {
    all.push_back({0x5e,
                   action,
                   Verb::kernel,
                   Gate::attention,
                   false,
                   "PERSISTENT RESERVE IN",
                   {0x5e, action, 0, 0, 0, 0, 0, 0xff, 0xff, 0}});
  }
  for (u8 action = 0; action < 8; ++action) {
    all.push_back({0x5f,
                   action,
                   Verb::kernel,
                   Gate::attention,
                   false,
                   "PERSISTENT RESERVE OUT",
                   {0x5f, action, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0}});
  }
}

std::vector<Entry> all_entries() {
  std::vector<Entry> all;
  append_block_commands(all);
  append_primary_commands(all);
  append_reservations(all);
  std::sort(all.begin(), all.end(), [](const Entry& left, const Entry& right) {
    return std::pair(left.opcode, left.action) < std::pair(right.opcode, right.action);
  });
  return all;
}

}  // namespace

Bytes usual(u8 opcode, u8 flags) {
  switch (opcode >> 5) {
    case 0:
      return {opcode, 0x1f, 0xff, 0xff, 0xff, 0};
    case 4:
      return join({{opcode, flags}, ones(12), {0x1f, 0}});
    case 5:
      return join({{opcode, flags}, ones(8), {0x1f, 0}});
    default:
      return join({{opcode, flags}, ones(4), {0x1f}, ones(2), {0}});
  }
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = all_entries();
  return all;
}

std::vector<const Entry*> entries_of(u8 opcode) {
  std::vector<const Entry*> found;
  for (const Entry& entry : entries()) {
    if (entry.opcode == opcode) found.push_back(&entry);
  }
  return found;
}

const Entry* entry_of(const Bytes& cdb) {
  if (cdb.empty()) return nullptr;
  for (const Entry& entry : entries()) {
    if (entry.opcode != cdb[0]) continue;
    if (entry.action < 0 || (cdb.size() > 1 && (cdb[1] & 0x1f) == entry.action)) return &entry;
  }
  return nullptr;
}

Target target_of(const Entry& entry, const Bytes& cdb) {
  if (entry.verb == Verb::compare_and_write) return {number(cdb, 2, 8), cdb[13], cdb[1], 13};
  switch (entry.allowed.size()) {
    case 6:
      return {number(cdb, 1, 3), cdb[4] == 0 ? 256u : cdb[4], 0, 4};
    case 10:
      return {number(cdb, 2, 4), number(cdb, 7, 2), cdb[1], 7};
    case 12:
      return {number(cdb, 2, 4), number(cdb, 6, 4), cdb[1], 6};
    default:
      return {number(cdb, 2, 8), number(cdb, 10, 4), cdb[1], 10};
  }
}

}  // namespace tcmufs::model
