#include "unit/simulation/daemon.h"

#include <sys/eventfd.h>

#include <cerrno>

#include "scsi/buffer.h"

namespace tcmufs::simulation {

using volume::AsyncOperation;

void SimulatedIo::step(Initiator& chance) {
  if (started_.empty()) return;
  const auto at = started_.begin() + chance.pick(static_cast<u32>(started_.size()));
  AsyncOperation& operation = **at;
  started_.erase(at);
  done_.push_back(&operation);
  if (chance.pick(8) == 0) {
    operation.result = operation.kind == AsyncOperation::Kind::read && chance.pick(2) == 0 ? -EAGAIN : -EINTR;
    return;
  }
  std::error_code error;
  u64 length = 0;
  if (operation.kind == AsyncOperation::Kind::sync) {
    error = image_.flush();
  } else {
    for (const iovec& piece : operation.buffer) length += piece.iov_len;
    // In whole blocks: between the pieces others may write.
    if (chance.pick(4) == 0) length = block_bytes * (1 + chance.pick(static_cast<u32>(length / block_bytes)));
    const std::vector<iovec> part = scsi::slice(operation.buffer, 0, length);
    error = operation.kind == AsyncOperation::Kind::read ? image_.read(operation.offset_bytes, part)
                                                         : image_.write(operation.offset_bytes, part);
  }
  operation.result = error ? -error.value() : static_cast<ssize_t>(length);
}

AsyncOperation* SimulatedIo::finished() noexcept {
  if (done_.empty()) return nullptr;
  AsyncOperation* operation = done_.back();
  done_.pop_back();
  return operation;
}

namespace {

scsi::Format format_of(const store::BlockStore& image) {
  scsi::Format format;
  format.block_size_bytes = block_bytes;
  format.physical_block_size_bytes = block_bytes;
  format.size_bytes = image.size_bytes();
  return format;
}

}  // namespace

// The engine's file is one that can neither be read nor written at an offset: it has to ask its `io`.
World::Daemon::Daemon(std::span<std::byte> ring, store::BlockStore& image, tcmu::StoreObserver& observer,
                      Initiator& chance)
    : unit_(scsi::Identity{.uuid = Uuid()}, format_of(image)),
      no_file_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      io_(new SimulatedIo(image, chance)),
      engine_(unit_, image, no_file_.number(), std::unique_ptr<volume::AsyncIo>(io_)),
      dispatcher_(ring, unit_, engine_, statistics_, &observer) {
  statistics_.space_wait().set_limit(3600);
}

}  // namespace tcmufs::simulation
