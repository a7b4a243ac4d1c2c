#pragma once

#include <span>
#include <variant>

#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/outcome.h"
#include "scsi/plan.h"
#include "scsi/sense.h"
#include "store/block_store.h"

namespace tcmufs::scsi {

/// A command that has passed every check the opcode table can make, for its handler.
struct Request {
  const Command& command;
  const UnitState& state;
  Device& device;

  std::span<const u8> cdb() const { return command.cdb; }
};

/// What a handler says: the answer, what I/O it takes, or why not.
using Answer = std::variant<Response, Plan, Sense>;
using Handler = Answer (*)(const Request&);

/// A compound plan on its way.
struct Execution {
  const Plan& plan;
  const Command& command;
  Device& device;
  store::BlockStore& store;

  u32 block_size_bytes() const { return device.block_size_bytes(); }
};
using Result = std::variant<Response, Sense>;

/// GOOD; data-in is the front of `data` that both the allocation length and the buffer have room for.
Response reply(const Command& command, std::span<const u8> data, u64 allocation_length);

/// GOOD without data-in.
inline Response done() {
  return {.status = Status::good, .data_in_bytes = 0, .sense = {}};
}
/// GOOD; the buffer was data-out.
inline Response taken() {
  return {.status = Status::good, .data_in_bytes = {}, .sense = {}};
}

/// The blocks a command asks for, or why it cannot have them: beyond the end, or more than `limit_blocks`.
std::variant<ByteRange, Sense> checked_range(const Request& request, u64 lba, u64 length_blocks,
                                             u64 limit_blocks, u16 length_byte);

}  // namespace tcmufs::scsi
