#include <optional>
#include <variant>

#include "scsi/handler.h"
#include "scsi/logical_unit.h"
#include "scsi/medium_error.h"

namespace tcmufs::scsi {

namespace {

struct Progress {
  LogicalUnit::Step step = LogicalUnit::Step::transfer;
  std::error_code error;
};

std::error_code transfer(const Plan& plan, const Command& command, store::BlockStore& store) noexcept {
  const u64 offset = plan.range.offset_bytes();
  switch (plan.kind) {
    case Plan::Kind::read:
      return store.read(offset, plan.buffer(command.buffer));
    case Plan::Kind::write:
      return store.write(offset, plan.buffer(command.buffer));
    case Plan::Kind::zero:
      return store.zero(offset, plan.range.length_bytes());
    case Plan::Kind::discard:
      for (const ByteRange& extent : plan.extents) {
        if (const auto error = store.discard(extent.offset_bytes(), extent.length_bytes())) return error;
      }
      break;
    case Plan::Kind::flush:
    case Plan::Kind::compound:
      break;
  }
  return {};
}

Progress carry_out(const Plan& plan, const Command& command, Device& device, store::BlockStore& store) {
  const bool reading = plan.kind == Plan::Kind::read;
  if (reading && plan.flush) {
    if (const auto error = device.flush(store)) return {LogicalUnit::Step::flush, error};
  }
  if (const auto error = transfer(plan, command, store)) return {LogicalUnit::Step::transfer, error};
  if (!reading && plan.flush) {
    if (const auto error = device.flush(store)) return {LogicalUnit::Step::flush, error};
  }
  return {};
}

}  // namespace

Response LogicalUnit::execute(const Plan& plan, const Command& command, store::BlockStore& store) {
  std::optional<RangeLock::Guard> guard;
  if (plan.lock != Plan::Lock::none) {
    guard.emplace(device_.ranges(), plan.range,
                  plan.lock == Plan::Lock::shared ? RangeLock::Mode::shared : RangeLock::Mode::exclusive);
  }
  if (plan.kind == Plan::Kind::compound) {
    const Result result = plan.run(Execution{plan, command, device_, store});
    if (const auto* sense = std::get_if<Sense>(&result)) return refuse(*sense);
    if (plan.flush) {
      if (const auto error = device_.flush(store)) return refuse(sense_of(error, Direction::writing));
    }
    return std::get<Response>(result);
  }
  const Progress progress = carry_out(plan, command, device_, store);
  return complete(plan, progress.step, progress.error, command, store);
}

Response LogicalUnit::complete(const Plan& plan, Step step, std::error_code error, const Command& command,
                               store::BlockStore& store) {
  if (error && step == Step::transfer) {
    const u32 block_size = device_.block_size_bytes();
    if (plan.kind == Plan::Kind::read) return refuse(read_failure(error, store, plan.range, block_size));
    if (plan.kind == Plan::Kind::write) {
      return refuse_transfer(
          plan, write_failure(error, store, plan.range, block_size, plan.buffer(command.buffer)));
    }
  }
  return complete(plan, step, error);
}

}  // namespace tcmufs::scsi
