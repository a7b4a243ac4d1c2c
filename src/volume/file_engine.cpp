#include "volume/file_engine.h"

#include <limits.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "scsi/buffer.h"
#include "sys/error.h"
#include "volume/positional_engine.h"

namespace tcmufs::volume {

namespace {

using scsi::Plan;
using Step = scsi::LogicalUnit::Step;

std::error_code error_of(ssize_t negative_errno) noexcept {
  return {static_cast<int>(-negative_errno), std::generic_category()};
}

}  // namespace

CachedReads cached_reads(int descriptor) noexcept {
  struct statfs system {};
  if (::fstatfs(descriptor, &system) == 0 &&
      (system.f_type == TMPFS_MAGIC || system.f_type == static_cast<decltype(system.f_type)>(RAMFS_MAGIC))) {
    return CachedReads::always;
  }
  char byte = 0;
  const iovec piece{&byte, 1};
  const bool can_tell = ::preadv2(descriptor, &piece, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN;
  return can_tell ? CachedReads::sometimes : CachedReads::unknown;
}

FileEngine::FileEngine(scsi::LogicalUnit& unit, store::BlockStore& store, int descriptor,
                       std::unique_ptr<AsyncIo> io)
    : unit_(unit),
      store_(store),
      descriptor_(descriptor),
      direct_(descriptor),
      cached_(cached_reads(descriptor)),
      io_(std::move(io)) {
  sync_.kind = AsyncOperation::Kind::sync;
}

void FileEngine::submit(std::span<Job* const> jobs) noexcept {
  for (Job* job : jobs) begin(*job);
  flush_now();
  io_->flush();
}

std::span<Job* const> FileEngine::reap() noexcept {
  if (transfers_ > 0 || !syncing_.empty()) collect();
  look_into_failures();
  given_.swap(done_);
  done_.clear();
  return given_;
}

void FileEngine::wait() noexcept {
  if (done_.empty() && failed_.empty() && !idle()) io_->wait();
}

void FileEngine::begin(Job& job) noexcept {
  const Plan& plan = job.plan;
  if (plan.kind == Plan::Kind::flush) return flush_later(job);
  if (plan.kind == Plan::Kind::write) return write(job);
  if (plan.kind == Plan::Kind::read && !plan.flush) return read(job);
  // What flushes and is not simple does so by itself: not beside a flush that is under way.
  if (plan.flush) wait_for_all();
  execute(job);
}

// Waits for the medium if it must.
void FileEngine::execute(Job& job) noexcept {
  if (direct_.on()) wait_for_all();
  const DirectAccess::Suspension cached(direct_);
  job.response = unit_.execute(job.plan, job.scsi_command(), store_);
  done_.push_back(&job);
}

void FileEngine::finish(Job& job, Step step, std::error_code error) noexcept {
  job.response = unit_.complete(job.plan, step, error);
  done_.push_back(&job);
}

void FileEngine::read(Job& job) noexcept {
  const Plan& plan = job.plan;
  const auto buffer = plan.buffer(job.command->buffer);
  if (plan.range.end_bytes() > store_.size_bytes()) return execute(job);
  if (direct_.on()) {
    if (!direct_.allows(plan.range.offset_bytes(), buffer)) return execute(job);
    return transfer_later(job, AsyncOperation::Kind::read);
  }
  if (cached_ == CachedReads::always) return execute(job);
  ssize_t moved = 0;
  if (cached_ == CachedReads::sometimes && buffer.size() <= IOV_MAX) {
    moved = ::preadv2(descriptor_, buffer.data(), static_cast<int>(buffer.size()),
                      static_cast<off_t>(plan.range.offset_bytes()), RWF_NOWAIT);
    if (moved == static_cast<ssize_t>(plan.range.length_bytes())) return finish(job);
  }
  transfer_later(job, AsyncOperation::Kind::read, moved > 0 ? static_cast<u64>(moved) : 0);
}

void FileEngine::write(Job& job) noexcept {
  const Plan& plan = job.plan;
  const auto buffer = plan.buffer(job.command->buffer);
  const bool inside = plan.range.end_bytes() <= store_.size_bytes();
  if (direct_.on() && inside && direct_.allows(plan.range.offset_bytes(), buffer)) {
    return transfer_later(job, AsyncOperation::Kind::write);
  }
  if (direct_.on()) wait_for_all();
  const DirectAccess::Suspension cached(direct_);
  const auto error = store_.write(plan.range.offset_bytes(), buffer);
  if (error) {
    refuse_write(job, error);
  } else {
    written(job);
  }
}

void FileEngine::written(Job& job) noexcept {
  if (job.plan.flush) {
    flush_later(job);
  } else {
    finish(job);
  }
}

// Which block it was is found out by writing block by block, which direct I/O need not allow.
void FileEngine::refuse_write(Job& job, std::error_code error) noexcept {
  if (direct_.on()) return finish(job, Step::transfer, error);
  job.response = unit_.complete(job.plan, Step::transfer, error, job.scsi_command(), store_);
  done_.push_back(&job);
}

void FileEngine::transfer_later(Job& job, AsyncOperation::Kind kind, u64 moved_bytes) noexcept {
  if (free_.empty()) free_.push_back(&pool_.emplace_back());
  Transfer& transfer = *free_.back();
  free_.pop_back();
  transfer.kind = kind;
  transfer.job = &job;
  transfer.moved_bytes = moved_bytes;
  ++transfers_;
  go_on(transfer);
}

void FileEngine::go_on(Transfer& transfer) noexcept {
  const Plan& plan = transfer.job->plan;
  transfer.buffer = plan.buffer(transfer.job->command->buffer);
  if (transfer.moved_bytes > 0) {
    transfer.rest =
        scsi::slice(transfer.buffer, transfer.moved_bytes, plan.range.length_bytes() - transfer.moved_bytes);
    transfer.buffer = transfer.rest;
  }
  transfer.buffer = transfer.buffer.first(std::min<std::size_t>(transfer.buffer.size(), IOV_MAX));
  transfer.offset_bytes = plan.range.offset_bytes() + transfer.moved_bytes;
  io_->start(transfer);
}

// What has moved in part may not be aligned any more.
bool FileEngine::gone_wrong(const Transfer& transfer) const noexcept {
  if (transfer.result == -EINTR || transfer.result == -EAGAIN) return false;
  return transfer.result <= 0 || (direct_.on() && !direct_.allows(transfer.moved_bytes, {}));
}

void FileEngine::transfer_finished(Transfer& transfer) noexcept {
  if (transfer.result > 0) transfer.moved_bytes += static_cast<u64>(transfer.result);
  const bool whole = transfer.moved_bytes == transfer.job->plan.range.length_bytes();
  if (!whole && !gone_wrong(transfer)) {
    go_on(transfer);
    return io_->flush();
  }
  --transfers_;
  if (!whole) return failed_.push_back(&transfer);
  free_.push_back(&transfer);
  if (transfer.kind == AsyncOperation::Kind::write) {
    written(*transfer.job);
  } else {
    finish(*transfer.job);
  }
}

// Tries once more, and finds out more about an error.
void FileEngine::look_into_failures() noexcept {
  while (!failed_.empty()) {
    Transfer& transfer = *failed_.back();
    failed_.pop_back();
    free_.push_back(&transfer);
    Job& job = *transfer.job;
    const bool against_rules = direct_.on() && transfer.result == -EINVAL;
    if (transfer.kind == AsyncOperation::Kind::write && transfer.result < 0 && !against_rules) {
      // Not into the page cache, which would take it.
      refuse_write(job, error_of(transfer.result));
    } else {
      execute(job);
    }
  }
}

void FileEngine::flush_later(Job& job) noexcept {
  next_syncing_.push_back(&job);
}

void FileEngine::flush_now() noexcept {
  if (!syncing_.empty() || next_syncing_.empty()) return;
  syncing_.swap(next_syncing_);
  io_->start(sync_);
}

void FileEngine::flush_finished() noexcept {
  if (sync_.result == -EINTR) {
    io_->start(sync_);
    io_->flush();
    return;
  }
  const std::error_code error = sync_.result < 0 ? error_of(sync_.result) : std::error_code();
  for (Job* job : syncing_) finish(*job, Step::flush, error);
  syncing_.clear();
  if (error) {
    // The next flush would succeed, and say nothing of what has been lost.
    for (Job* job : next_syncing_) finish(*job, Step::flush, error);
    next_syncing_.clear();
  }
  flush_now();
  io_->flush();
}

void FileEngine::collect() noexcept {
  while (AsyncOperation* operation = io_->finished()) {
    if (operation == &sync_) {
      flush_finished();
    } else {
      transfer_finished(static_cast<Transfer&>(*operation));
    }
  }
  flush_now();
  io_->flush();
}

void FileEngine::wait_for_all() noexcept {
  io_->flush();
  while (transfers_ > 0 || !syncing_.empty()) {
    io_->wait();
    collect();
  }
}

std::unique_ptr<Engine> make_engine(scsi::LogicalUnit& unit, store::BlockStore& store) {
  const int descriptor = store.descriptor();
  if (descriptor < 0) return std::make_unique<PositionalEngine>(unit, store);
  std::unique_ptr<AsyncIo> io;
  try {
    io = make_uring_io(descriptor);
  } catch (const Failure&) {
    io = make_thread_io(descriptor);
  }
  return std::make_unique<FileEngine>(unit, store, descriptor, std::move(io));
}

}  // namespace tcmufs::volume
