#include "scsi/opcode_table.h"

#include <bit>
#include <string_view>

#include "scsi/handlers.h"

namespace tcmufs::scsi {

namespace {

constexpr u16 no_sa = no_service_action;
constexpr u8 service_action_bits = 0x1f;
constexpr u8 ff = 0xff;
constexpr u8 lun =
    0xe0;  // where SCSI-2 has it: so does Linux in its first INQUIRY to a target, before it knows better
constexpr u8 grp = 0x1f;  // GROUP NUMBER: accepted, and no statistics are kept

// clang-format off
constexpr std::array table = {
    Row{0x00, no_sa, 6, Access::reads, "TEST UNIT READY", "SPC-4 6.47", {0x00}, test_unit_ready},
    Row{0x03, no_sa, 6, Access::always, "REQUEST SENSE", "SPC-4 6.39", {0x03, 0x01, 0, 0, ff, 0}, request_sense},
    Row{0x08, no_sa, 6, Access::reads, "READ(6)", "SBC-2 5.5", {0x08, 0x1f, ff, ff, ff, 0}, read},
    Row{0x0a, no_sa, 6, Access::writes, "WRITE(6)", "SBC-2 5.24", {0x0a, 0x1f, ff, ff, ff, 0}, write},
    Row{0x12, no_sa, 6, Access::always, "INQUIRY", "SPC-4 6.6", {0x12, lun | 0x01, ff, ff, ff, 0}, inquiry},
    Row{0x15, no_sa, 6, Access::none, "MODE SELECT(6)", "SPC-4 6.11", {0x15, 0x10, 0, 0, ff, 0}, mode_select_6},
    Row{0x16, no_sa, 6, Access::none, "RESERVE(6)", "SPC-2 7.22", {0x16}, nullptr},
    Row{0x17, no_sa, 6, Access::none, "RELEASE(6)", "SPC-2 7.17", {0x17}, nullptr},
    Row{0x1a, no_sa, 6, Access::none, "MODE SENSE(6)", "SPC-4 6.13", {0x1a, 0x08, ff, ff, ff, 0}, mode_sense_6},
    Row{0x1b, no_sa, 6, Access::none, "START STOP UNIT", "SBC-3 5.25", {0x1b, 0x01, 0, 0x0f, 0xf5, 0},
        start_stop_unit},
    Row{0x1e, no_sa, 6, Access::none, "PREVENT ALLOW MEDIUM REMOVAL", "SBC-3 5.10", {0x1e, 0, 0, 0, 0x03, 0},
        prevent_allow_medium_removal},
    Row{0x25, no_sa, 10, Access::none, "READ CAPACITY(10)", "SBC-3 5.15", {0x25, 0, ff, ff, ff, ff, 0, 0, 0x01, 0},
        read_capacity_10},
    Row{0x28, no_sa, 10, Access::reads, "READ(10)", "SBC-3 5.11", {0x28, 0x18, ff, ff, ff, ff, grp, ff, ff, 0}, read},
    Row{0x2a, no_sa, 10, Access::writes, "WRITE(10)", "SBC-3 5.33", {0x2a, 0x18, ff, ff, ff, ff, grp, ff, ff, 0},
        write},
    Row{0x2e, no_sa, 10, Access::writes, "WRITE AND VERIFY(10)", "SBC-3 5.37",
        {0x2e, 0x12, ff, ff, ff, ff, grp, ff, ff, 0}, write_and_verify},
    Row{0x2f, no_sa, 10, Access::reads, "VERIFY(10)", "SBC-3 5.29", {0x2f, 0x16, ff, ff, ff, ff, grp, ff, ff, 0},
        verify},
    Row{0x34, no_sa, 10, Access::reads, "PRE-FETCH(10)", "SBC-3 5.8", {0x34, 0x02, ff, ff, ff, ff, grp, ff, ff, 0},
        pre_fetch},
    Row{0x35, no_sa, 10, Access::reads, "SYNCHRONIZE CACHE(10)", "SBC-3 5.26",
        {0x35, 0x02, ff, ff, ff, ff, grp, ff, ff, 0}, synchronize_cache},
    Row{0x37, no_sa, 10, Access::reads, "READ DEFECT DATA(10)", "SBC-3 5.17", {0x37, 0, 0x1f, 0, 0, 0, 0, ff, ff, 0},
        read_defect_data_10},
    Row{0x41, no_sa, 10, Access::writes, "WRITE SAME(10)", "SBC-3 5.43", {0x41, 0x08, ff, ff, ff, ff, grp, ff, ff, 0},
        write_same},
    Row{0x42, no_sa, 10, Access::writes, "UNMAP", "SBC-3 5.28", {0x42, 0, 0, 0, 0, 0, grp, ff, ff, 0}, unmap, true},
    Row{0x4d, no_sa, 10, Access::none, "LOG SENSE", "SPC-4 6.8", {0x4d, 0, ff, ff, 0, ff, ff, ff, ff, 0}, log_sense},
    Row{0x55, no_sa, 10, Access::none, "MODE SELECT(10)", "SPC-4 6.12", {0x55, 0x10, 0, 0, 0, 0, 0, ff, ff, 0},
        mode_select_10},
    Row{0x56, no_sa, 10, Access::none, "RESERVE(10)", "SPC-2 7.21", {0x56}, nullptr},
    Row{0x57, no_sa, 10, Access::none, "RELEASE(10)", "SPC-2 7.16", {0x57}, nullptr},
    Row{0x5a, no_sa, 10, Access::none, "MODE SENSE(10)", "SPC-4 6.14", {0x5a, 0x18, ff, ff, 0, 0, 0, ff, ff, 0},
        mode_sense_10},
    Row{0x5e, 0x00, 10, Access::none, "PERSISTENT RESERVE IN, READ KEYS", "SPC-4 6.15",
        {0x5e, 0x00, 0, 0, 0, 0, 0, ff, ff, 0}, nullptr},
    Row{0x5e, 0x01, 10, Access::none, "PERSISTENT RESERVE IN, READ RESERVATION", "SPC-4 6.15",
        {0x5e, 0x01, 0, 0, 0, 0, 0, ff, ff, 0}, nullptr},
    Row{0x5e, 0x02, 10, Access::none, "PERSISTENT RESERVE IN, REPORT CAPABILITIES", "SPC-4 6.15",
        {0x5e, 0x02, 0, 0, 0, 0, 0, ff, ff, 0}, nullptr},
    Row{0x5e, 0x03, 10, Access::none, "PERSISTENT RESERVE IN, READ FULL STATUS", "SPC-4 6.15",
        {0x5e, 0x03, 0, 0, 0, 0, 0, ff, ff, 0}, nullptr},
    Row{0x5f, 0x00, 10, Access::none, "PERSISTENT RESERVE OUT, REGISTER", "SPC-4 6.16",
        {0x5f, 0x00, ff, 0, 0, ff, ff, ff, ff, 0}, nullptr},
    Row{0x5f, 0x01, 10, Access::none, "PERSISTENT RESERVE OUT, RESERVE", "SPC-4 6.16",
        {0x5f, 0x01, ff, 0, 0, ff, ff, ff, ff, 0}, nullptr},
    Row{0x5f, 0x02, 10, Access::none, "PERSISTENT RESERVE OUT, RELEASE", "SPC-4 6.16",
        {0x5f, 0x02, ff, 0, 0, ff, ff, ff, ff, 0}, nullptr},
    Row{0x5f, 0x03, 10, Access::none, "PERSISTENT RESERVE OUT, CLEAR", "SPC-4 6.16",
        {0x5f, 0x03, ff, 0, 0, ff, ff, ff, ff, 0}, nullptr},
    Row{0x5f, 0x04, 10, Access::none, "PERSISTENT RESERVE OUT, PREEMPT", "SPC-4 6.16",
        {0x5f, 0x04, ff, 0, 0, ff, ff, ff, ff, 0}, nullptr},
    Row{0x5f, 0x05, 10, Access::none, "PERSISTENT RESERVE OUT, PREEMPT AND ABORT", "SPC-4 6.16",
        {0x5f, 0x05, ff, 0, 0, ff, ff, ff, ff, 0}, nullptr},
    Row{0x5f, 0x06, 10, Access::none, "PERSISTENT RESERVE OUT, REGISTER AND IGNORE EXISTING KEY", "SPC-4 6.16",
        {0x5f, 0x06, ff, 0, 0, ff, ff, ff, ff, 0}, nullptr},
    Row{0x5f, 0x07, 10, Access::none, "PERSISTENT RESERVE OUT, REGISTER AND MOVE", "SPC-4 6.16",
        {0x5f, 0x07, ff, 0, 0, ff, ff, ff, ff, 0}, nullptr},
    Row{0x88, no_sa, 16, Access::reads, "READ(16)", "SBC-3 5.13",
        {0x88, 0x18, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, read},
    Row{0x89, no_sa, 16, Access::writes, "COMPARE AND WRITE", "SBC-3 5.2",
        {0x89, 0x18, ff, ff, ff, ff, ff, ff, ff, ff, 0, 0, 0, ff, grp, 0}, compare_and_write},
    Row{0x8a, no_sa, 16, Access::writes, "WRITE(16)", "SBC-3 5.35",
        {0x8a, 0x18, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, write},
    Row{0x8b, no_sa, 16, Access::writes, "ORWRITE(16)", "SBC-3 5.5",
        {0x8b, 0x18, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, orwrite},
    Row{0x8e, no_sa, 16, Access::writes, "WRITE AND VERIFY(16)", "SBC-3 5.39",
        {0x8e, 0x12, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, write_and_verify},
    Row{0x8f, no_sa, 16, Access::reads, "VERIFY(16)", "SBC-3 5.31",
        {0x8f, 0x16, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, verify},
    Row{0x90, no_sa, 16, Access::reads, "PRE-FETCH(16)", "SBC-3 5.9",
        {0x90, 0x02, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, pre_fetch},
    Row{0x91, no_sa, 16, Access::reads, "SYNCHRONIZE CACHE(16)", "SBC-3 5.27",
        {0x91, 0x02, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, synchronize_cache},
    Row{0x93, no_sa, 16, Access::writes, "WRITE SAME(16)", "SBC-3 5.44",
        {0x93, 0x09, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, write_same},
    Row{0x9e, 0x10, 16, Access::none, "READ CAPACITY(16)", "SBC-3 5.16",
        {0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, ff, ff, ff, ff, 0, 0}, read_capacity_16},
    Row{0x9e, 0x12, 16, Access::reads, "GET LBA STATUS", "SBC-3 5.4",
        {0x9e, 0x12, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, ff, 0, 0}, get_lba_status, true},
    Row{0xa0, no_sa, 12, Access::always, "REPORT LUNS", "SPC-4 6.33", {0xa0, 0, ff, 0, 0, 0, ff, ff, ff, ff, 0, 0},
        report_luns},
    Row{0xa3, 0x0c, 12, Access::none, "REPORT SUPPORTED OPERATION CODES", "SPC-4 6.35",
        {0xa3, 0x0c, 0x87, ff, ff, ff, ff, ff, ff, ff, 0, 0}, report_supported_operation_codes},
    Row{0xa3, 0x0d, 12, Access::none, "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", "SPC-4 6.36",
        {0xa3, 0x0d, 0x80, 0, 0, 0, ff, ff, ff, ff, 0, 0}, report_supported_task_management_functions},
    Row{0xa8, no_sa, 12, Access::reads, "READ(12)", "SBC-3 5.12",
        {0xa8, 0x18, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, read},
    Row{0xaa, no_sa, 12, Access::writes, "WRITE(12)", "SBC-3 5.34",
        {0xaa, 0x18, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, write},
    Row{0xae, no_sa, 12, Access::writes, "WRITE AND VERIFY(12)", "SBC-3 5.38",
        {0xae, 0x12, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, write_and_verify},
    Row{0xaf, no_sa, 12, Access::reads, "VERIFY(12)", "SBC-3 5.30",
        {0xaf, 0x16, ff, ff, ff, ff, ff, ff, ff, ff, grp, 0}, verify},
    Row{0xb7, no_sa, 12, Access::reads, "READ DEFECT DATA(12)", "SBC-3 5.18",
        {0xb7, 0x1f, ff, ff, ff, ff, ff, ff, ff, ff, 0, 0}, read_defect_data_12},
};
// clang-format on

consteval u8 length_of_group(u8 opcode) {  // SPC-4, operation code: GROUP CODE field
  switch (opcode >> 5) {
    case 0:
      return 6;
    case 1:
    case 2:
      return 10;
    case 4:
      return 16;
    case 5:
      return 12;
    default:
      return 0;
  }
}

consteval bool well_formed(const Row& row) {
  if (row.length != length_of_group(row.opcode) || row.usage[0] != row.opcode) return false;
  if (row.has_service_action() && (row.usage[1] & service_action_bits) != row.service_action) return false;
  for (std::size_t i = row.length; i < row.usage.size(); ++i) {
    if (row.usage[i] != 0) return false;
  }
  return !std::string_view(row.name).empty() && !std::string_view(row.clause).empty();
}

/// Sorted without repetition; an opcode has either one row or rows with service actions only.
template <std::size_t Rows>
consteval bool well_formed(const std::array<Row, Rows>& rows) {
  for (std::size_t i = 0; i < Rows; ++i) {
    if (!well_formed(rows[i])) return false;
    if (i == 0 || rows[i - 1].opcode < rows[i].opcode) continue;
    if (rows[i - 1].opcode > rows[i].opcode || !rows[i].has_service_action()) return false;
    if (rows[i - 1].service_action >= rows[i].service_action) return false;
  }
  return true;
}
static_assert(well_formed(table));

struct Index {
  std::array<u8, 256> first{};
  std::array<u8, 256> count{};
};

consteval Index make_index() {
  Index index;
  for (std::size_t i = table.size(); i-- > 0;) {
    index.first[table[i].opcode] = static_cast<u8>(i);
    ++index.count[table[i].opcode];
  }
  return index;
}
static_assert(table.size() < 256);
constexpr Index index = make_index();

}  // namespace

std::span<const Row> opcode_table() noexcept {
  return table;
}

std::span<const Row> rows_of(u8 opcode) noexcept {
  return std::span<const Row>(table).subspan(index.first[opcode], index.count[opcode]);
}

const Row* row_of(std::span<const u8> cdb) noexcept {
  const auto rows = rows_of(cdb[0]);
  if (rows.empty()) return nullptr;
  if (!rows.front().has_service_action()) return rows.data();
  for (const Row& row : rows) {
    if (cdb.size() > 1 && (cdb[1] & service_action_bits) == row.service_action) return &row;
  }
  return nullptr;
}

std::optional<FieldPointer> forbidden_bit(const Row& row, std::span<const u8> cdb) noexcept {
  for (u8 i = 1; i < row.length; ++i) {
    const u8 service_action = i == 1 && row.has_service_action() ? service_action_bits : 0;
    const auto forbidden = static_cast<u8>(cdb[i] & ~(row.usage[i] | service_action));
    if (forbidden != 0) return FieldPointer{true, i, static_cast<u8>(std::bit_width(forbidden) - 1)};
  }
  return std::nullopt;
}

}  // namespace tcmufs::scsi
