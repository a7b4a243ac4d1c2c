#include <algorithm>
#include <initializer_list>

#include "sys/integers.h"
#include "tcmufs/command.h"

TCMUFS_BEGIN

namespace {

Outcome if_one_of(std::initializer_list<u8> opcodes, Command& command) {
  const bool ours = std::find(opcodes.begin(), opcodes.end(), command.opcode()) != opcodes.end();
  return ours ? command.emulate() : Outcome::not_handled();
}

}  // namespace

Outcome emulate_inquiry(Command& command) {
  return if_one_of({0x12}, command);
}
Outcome emulate_test_unit_ready(Command& command) {
  return if_one_of({0x00}, command);
}
Outcome emulate_read_capacity(Command& command) {
  constexpr u8 read_capacity_16 = 0x10;
  const bool sixteen = command.opcode() == 0x9e && command.cdb().size() > 1 &&
                       (static_cast<u8>(command.cdb()[1]) & 0x1f) == read_capacity_16;
  return sixteen ? command.emulate() : if_one_of({0x25}, command);
}
Outcome emulate_service_action_in(Command& command) {
  return if_one_of({0x9e}, command);
}
Outcome emulate_mode_sense(Command& command) {
  return if_one_of({0x1a, 0x5a}, command);
}
Outcome emulate_mode_select(Command& command) {
  return if_one_of({0x15, 0x55}, command);
}
Outcome emulate_read(Command& command) {
  return if_one_of({0x08, 0x28, 0xa8, 0x88}, command);
}
Outcome emulate_write(Command& command) {
  return if_one_of({0x0a, 0x2a, 0xaa, 0x8a}, command);
}
Outcome emulate_synchronize_cache(Command& command) {
  return if_one_of({0x35, 0x91}, command);
}
Outcome emulate_unmap(Command& command) {
  return if_one_of({0x42}, command);
}
Outcome emulate_write_same(Command& command) {
  return if_one_of({0x41, 0x93}, command);
}

TCMUFS_END
