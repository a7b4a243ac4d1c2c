#pragma once

#include <memory>

#include "scsi/logical_unit.h"
#include "store/block_store.h"
#include "tcmufs/command.h"
#include "volume/engine.h"

namespace tcmufs::device {

/// What a handler works with.
struct Unit {
  scsi::LogicalUnit& unit;
  store::BlockStore& store;
  std::string name;
  u32 block_size_bytes;
};

/// Lets `handler` answer a job, whatever it throws.
void handle(volume::Job& job, const Unit& unit, CommandHandler& handler) noexcept;

}  // namespace tcmufs::device
