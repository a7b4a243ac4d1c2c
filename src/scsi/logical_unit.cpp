#include "scsi/logical_unit.h"

#include <optional>
#include <utility>

#include "scsi/handler.h"
#include "scsi/opcode_table.h"

namespace tcmufs::scsi {

namespace {

/// All that is decided before the handler, from the table's row alone.
std::optional<Sense> objection(const Row* row, const Command& command, const UnitState& state,
                               Device& device) {
  if (row == nullptr || row->handler == nullptr) return sense::invalid_operation_code;
  if (row->only_thin && !device.thin()) return sense::invalid_operation_code;
  if (command.cdb.size() < row->length) return sense::invalid_cdb_field(static_cast<u16>(command.cdb.size()));
  if (const auto bit = forbidden_bit(*row, command.cdb)) return sense::invalid_field_in_cdb.at(*bit);
  if (row->access != Access::always) {
    if (auto attention = device.take_unit_attention()) return attention;
    device.note_visitor();
  }
  const bool needs_medium = row->access == Access::reads || row->access == Access::writes;
  if (needs_medium && state.stopped) return sense::initializing_command_required;
  if (row->access == Access::writes && state.read_only) return sense::write_protected;
  if (row->access == Access::writes && state.modes.software_write_protect)
    return sense::software_write_protected;
  return std::nullopt;
}

}  // namespace

LogicalUnit::LogicalUnit(Identity identity, Format format) : device_(std::move(identity), format) {}

std::variant<Response, Plan> LogicalUnit::start(const Command& command) {
  const Row* row = command.cdb.empty() ? nullptr : row_of(command.cdb);
  const UnitState state = device_.state();
  if (const auto sense = objection(row, command, state, device_)) return refuse(*sense);

  Answer answer = row->handler(Request{command, state, device_});
  if (const auto* sense = std::get_if<Sense>(&answer)) return refuse(*sense);
  if (auto* response = std::get_if<Response>(&answer)) return *response;

  auto& plan = std::get<Plan>(answer);
  if (row->access == Access::writes) {
    plan.flush = plan.flush || !state.modes.write_cache;
    medium_changes_.fetch_add(1);
  }
  if (plan.flush && device_.flush_failed()) return refuse(sense::write_error);
  return std::move(plan);
}

Response LogicalUnit::complete(const Plan& plan, Step step, std::error_code error) {
  if (error) {
    if (step == Step::flush) device_.note_failed_flush();
    if (step == Step::flush) return refuse(sense_of(error, Direction::writing));
    const bool reading = plan.kind == Plan::Kind::read;
    return refuse_transfer(plan, sense_of(error, reading ? Direction::reading : Direction::writing));
  }
  // Somebody else's flush may have been told of what this one has lost.
  if (plan.flush && device_.flush_failed()) return refuse(sense::write_error);
  if (plan.kind == Plan::Kind::read) {
    return {.status = Status::good, .data_in_bytes = plan.range.length_bytes(), .sense = {}};
  }
  return plan.kind == Plan::Kind::flush ? done() : taken();
}

Response LogicalUnit::refuse(const Sense& sense) const noexcept {
  return {
      .status = Status::check_condition, .data_in_bytes = 0, .sense = encode(sense, device_.sense_format())};
}

Response LogicalUnit::refuse_transfer(const Plan& plan, const Sense& sense) const noexcept {
  Response response = refuse(sense);
  const Sense& no_room = sense::space_allocation_failed;
  response.no_room = plan.only_writes() && sense.key == no_room.key && sense.code == no_room.code &&
                     sense.qualifier == no_room.qualifier;
  return response;
}

void LogicalUnit::resize(u64 size_bytes) {
  device_.resize(size_bytes);
}
void LogicalUnit::set_identity(Identity identity) {
  device_.set_identity(std::move(identity));
}
void LogicalUnit::set_read_only(bool read_only) {
  device_.set_read_only(read_only);
}
void LogicalUnit::set_write_cache(bool write_cache) {
  device_.set_write_cache(write_cache);
}

}  // namespace tcmufs::scsi
