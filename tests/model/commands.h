#pragma once

#include <string>
#include <vector>

#include "bytes.h"

namespace tcmufs::model {

enum class Verb : u8 {
  test_unit_ready,
  request_sense,
  read,
  write,
  inquiry,
  mode_select,
  mode_sense,
  start_stop,
  prevent_removal,
  read_capacity_10,
  read_capacity_16,
  write_and_verify,
  verify,
  pre_fetch,
  synchronize,
  read_defects_10,
  read_defects_12,
  write_same,
  unmap,
  log_sense,
  compare_and_write,
  orwrite,
  lba_status,
  report_luns,
  report_opcodes,
  report_tmfs,
  kernel,  // answered before it comes to us
};

/// What may stand in a command's way, each also with what is above it.
enum class Gate : u8 {
  nothing,
  attention,   // a unit attention
  stopped,     // a unit that is stopped
  protection,  // write protection
};

/// A command that the disk knows.
struct Entry {
  u8 opcode;
  int action;  // SERVICE ACTION; -1: the opcode has none
  Verb verb;
  Gate gate;
  bool data_out;
  std::string name;
  Bytes allowed;  // the bits that may be set, byte for byte; the first is the opcode
};

/// By opcode, then by service action.
const std::vector<Entry>& entries();

/// READ, WRITE and the like: flags, LBA, length, GROUP NUMBER and CONTROL, in the order of the CDB's size.
Bytes usual(u8 opcode, u8 flags);

/// Null if the disk does not know it.
const Entry* entry_of(const Bytes& cdb);

/// The entries of one opcode.
std::vector<const Entry*> entries_of(u8 opcode);

/// Where a command of the medium goes to: SBC-3 clause 5, by the length of the CDB.
struct Target {
  u64 lba;
  u64 blocks;
  u8 flags;
  unsigned length_byte;  // where the length is
};
Target target_of(const Entry& entry, const Bytes& cdb);

}  // namespace tcmufs::model
