#include "problem.h"

namespace tcmufs::model {

Problem problem::cdb(unsigned byte, int bit) {
  Problem result = field_in_cdb;
  result.pointer = {true, byte, bit};
  return result;
}

Problem problem::list(std::size_t byte) {
  Problem result = field_in_list;
  result.pointer = {false, static_cast<unsigned>(byte), -1};
  return result;
}

namespace {

/// SENSE KEY SPECIFIC of ILLEGAL REQUEST: SKSV, C/D, BPV, BIT POINTER, FIELD POINTER.
Bytes key_specific(const Problem::Pointer& pointer) {
  const unsigned first = 0x80u | (pointer.in_cdb ? 0x40u : 0u) |
                         (pointer.bit >= 0 ? 0x08u | static_cast<unsigned>(pointer.bit) : 0u);
  return join({{static_cast<u8>(first)}, field(pointer.byte, 2)});
}

}  // namespace

Bytes encoded(const Problem& problem, bool descriptors) {
  if (!descriptors) {
    Bytes sense(18);
    sense[0] = 0x70;
    sense[2] = problem.key;
    sense[7] = 10;
    sense[12] = problem.code;
    sense[13] = problem.qualifier;
    if (problem.information && *problem.information >> 32 == 0) {
      sense[0] = 0xf0;
      place(sense, 3, *problem.information, 4);
    }
    if (problem.pointer) {
      const Bytes specific = key_specific(*problem.pointer);
      std::copy(specific.begin(), specific.end(), sense.begin() + 15);
    }
    return sense;
  }
  Bytes sense = {0x72, problem.key, problem.code, problem.qualifier, 0, 0, 0, 0};
  if (problem.information) sense = join({sense, {0x00, 0x0a, 0x80, 0x00}, field(*problem.information, 8)});
  if (problem.pointer)
    sense = join({sense, {0x02, 0x06, 0x00, 0x00}, key_specific(*problem.pointer), {0x00}});
  sense[7] = static_cast<u8>(sense.size() - 8);
  return sense;
}

}  // namespace tcmufs::model
