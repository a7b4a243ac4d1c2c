#include <array>
#include <optional>
#include <vector>

#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/opcode_table.h"
#include "scsi/page.h"

namespace tcmufs::scsi {

namespace {

struct TimeoutsDescriptor {  // SPC-4 6.35, command timeouts descriptor
  Be16 length{0x000a};
  u8 reserved = 0;
  u8 command_specific = 0;
  Be32 nominal_seconds;
  Be32 recommended_seconds;
};
static_assert(sizeof(TimeoutsDescriptor) == 12);

struct CommandDescriptor {  // SPC-4 6.35, command descriptor
  static constexpr u8 timeouts_present = 0x02;
  static constexpr u8 service_action_valid = 0x01;

  u8 opcode;
  u8 reserved = 0;
  Be16 service_action;
  u8 reserved_too = 0;
  u8 flags = 0;
  Be16 length;
};
static_assert(sizeof(CommandDescriptor) == 8);

struct OneCommandHeader {  // SPC-4 6.35, one_command parameter data
  static constexpr u8 timeouts_present = 0x80;
  static constexpr u8 not_supported = 0x01;
  static constexpr u8 supported = 0x03;

  u8 reserved = 0;
  u8 support = not_supported;
  Be16 length;
};
static_assert(sizeof(OneCommandHeader) == 4);

constexpr u8 return_timeouts = 0x80;  // RCTD

bool is_there(const Row& row, const Request& request) {
  return !row.only_thin || request.device.thin();
}

Response report_all(const Request& request, const ReportCdb& cdb) {
  const bool timeouts = (cdb.flags & return_timeouts) != 0;
  std::vector<const Row*> rows;
  for (const Row& row : opcode_table()) {
    if (is_there(row, request)) rows.push_back(&row);
  }
  const std::size_t row_bytes = sizeof(CommandDescriptor) + (timeouts ? sizeof(TimeoutsDescriptor) : 0);
  std::vector<u8> data;
  data.reserve(sizeof(Be32) + rows.size() * row_bytes);
  const auto append = [&data](const auto& structure) {
    const auto bytes = bytes_of(structure);
    data.insert(data.end(), bytes.begin(), bytes.end());
  };
  append(Be32(static_cast<u32>(rows.size() * row_bytes)));
  for (const Row* row : rows) {
    CommandDescriptor descriptor{.opcode = row->opcode, .service_action = {}, .length = row->length};
    if (row->has_service_action()) {
      descriptor.service_action = row->service_action;
      descriptor.flags |= CommandDescriptor::service_action_valid;
    }
    if (timeouts) descriptor.flags |= CommandDescriptor::timeouts_present;
    append(descriptor);
    if (timeouts) append(TimeoutsDescriptor{});
  }
  return reply(request.command, data, cdb.allocation_length);
}

Response report_one(const Request& request, const ReportCdb& cdb, const Row* row) {
  Page<sizeof(OneCommandHeader) + 16 + sizeof(TimeoutsDescriptor)> data;
  OneCommandHeader header;
  if (row == nullptr || !is_there(*row, request)) {
    data.append_structure(header);
    return reply(request.command, data.bytes(), cdb.allocation_length);
  }
  const bool timeouts = (cdb.flags & return_timeouts) != 0;
  header.support = OneCommandHeader::supported;
  if (timeouts) header.support |= OneCommandHeader::timeouts_present;
  header.length = row->length;
  data.append_structure(header);
  auto usage = row->usage;
  const bool writes_same = row->opcode == 0x41 || row->opcode == 0x93;
  if (writes_same && !request.device.thin()) usage[1] &= static_cast<u8>(~0x08u);  // UNMAP
  data.append(std::span(usage).first(row->length));
  if (timeouts) data.append_structure(TimeoutsDescriptor{});
  return reply(request.command, data.bytes(), cdb.allocation_length);
}

const Row* with_service_action(std::span<const Row> rows, u16 service_action) {
  for (const Row& row : rows) {
    if (row.has_service_action() && row.service_action == service_action) return &row;
  }
  return nullptr;
}

}  // namespace

Answer report_supported_operation_codes(const Request& request) {
  constexpr u8 options_byte = 2;
  constexpr u8 opcode_byte = 3;
  const auto cdb = structure_from<ReportCdb>(request.cdb());
  const auto rows = rows_of(cdb.requested_opcode);
  const bool has_service_actions = !rows.empty() && rows.front().has_service_action();
  const Row* only = rows.empty() || has_service_actions ? nullptr : rows.data();
  const Row* chosen = with_service_action(rows, cdb.requested_service_action);

  switch (cdb.flags & 0x07) {  // REPORTING OPTIONS, SPC-4 6.35
    case 0:
      return report_all(request, cdb);
    case 1:
      if (has_service_actions) return sense::invalid_cdb_field(opcode_byte);
      return report_one(request, cdb, only);
    case 2:
      if (only != nullptr) return sense::invalid_cdb_field(opcode_byte);
      return report_one(request, cdb, chosen);
    case 3:
      return report_one(request, cdb, only != nullptr && cdb.requested_service_action == 0 ? only : chosen);
    default:
      return sense::invalid_cdb_field(options_byte, u8{2});
  }
}

Answer report_supported_task_management_functions(const Request& request) {
  constexpr u8 extended = 0x80;  // REPD
  constexpr u8 abort_task = 0x80, logical_unit_reset = 0x08;
  const auto cdb = structure_from<ReportCdb>(request.cdb());
  std::array<u8, 16> data{abort_task | logical_unit_reset};
  if ((cdb.flags & extended) == 0)
    return reply(request.command, std::span(data).first(4), cdb.allocation_length);
  data[3] = data.size() - 4;
  return reply(request.command, data, cdb.allocation_length);
}

Answer report_luns(const Request& request) {
  const auto cdb = structure_from<ReportCdb>(request.cdb());
  if (cdb.flags > 2) return sense::invalid_cdb_field(2, u8{7});
  constexpr u8 well_known_only = 1;  // SELECT REPORT, SPC-4 6.33
  std::array<u8, 16> data{};         // length, reserved, LUN 0
  const std::size_t size = cdb.flags == well_known_only ? 8 : data.size();
  data[3] = bits(size - 8);
  return reply(request.command, std::span(data).first(size), cdb.allocation_length);
}

}  // namespace tcmufs::scsi
