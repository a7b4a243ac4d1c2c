#include <array>

#include "scsi/cdb.h"
#include "scsi/handlers.h"

namespace tcmufs::scsi {

namespace {

/// What is cached has to reach the medium first: a unit that cannot say so goes on.
Result flush_and_stop(const Execution& execution) {
  if (const auto error = execution.device.flush(execution.store)) return sense_of(error, Direction::writing);
  execution.device.set_stopped(true);
  return done();
}

bool known_power_condition(u8 condition) {  // SBC-3, START STOP UNIT, POWER CONDITION field
  switch (condition) {
    case 0x0:  // START_VALID
    case 0x1:  // ACTIVE
    case 0x2:  // IDLE
    case 0x3:  // STANDBY
    case 0x7:  // LU_CONTROL
    case 0xa:  // FORCE_IDLE_0
    case 0xb:  // FORCE_STANDBY_0
      return true;
    default:
      return false;
  }
}

}  // namespace

Answer test_unit_ready(const Request&) {
  return done();
}

Answer request_sense(const Request& request) {
  const auto cdb = structure_from<RequestSenseCdb>(request.cdb());
  const Sense sense = request.device.take_unit_attention().value_or(
      request.state.stopped ? sense::initializing_command_required : sense::no_sense);
  const auto format = cdb.descriptor_format() ? SenseFormat::descriptor : SenseFormat::fixed;
  return reply(request.command, encode(sense, format).span(), cdb.allocation_length);
}

Answer start_stop_unit(const Request& request) {
  constexpr u8 action_byte = 4;
  const auto cdb = structure_from<StartStopUnitCdb>(request.cdb());
  const auto condition = static_cast<u8>(cdb.action >> 4);
  if (!known_power_condition(condition)) return sense::invalid_cdb_field(action_byte, u8{7});
  if (condition != 0) return done();

  const bool start = (cdb.action & 0x01) != 0;
  const bool no_flush = (cdb.action & 0x04) != 0;
  if (start || no_flush || request.state.stopped) {
    request.device.set_stopped(!start);
    return done();
  }
  return Plan::compound(flush_and_stop);
}

Answer prevent_allow_medium_removal(const Request&) {
  return done();
}

}  // namespace tcmufs::scsi
