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
  if (reads_ > 0 || !syncing_.empty()) collect();
  given_.swap(done_);
  done_.clear();
  return given_;
}

void FileEngine::wait() noexcept {
  if (done_.empty() && !idle()) io_->wait();
}

void FileEngine::begin(Job& job) noexcept {
  const Plan& plan = job.plan;
  // What flushes and is not simple does so by itself: not beside a flush that is under way.
  if (plan.kind == Plan::Kind::flush) return flush_later(job);
  if (plan.kind == Plan::Kind::write) return write(job);
  if (plan.kind == Plan::Kind::read && !plan.flush) return read(job);
  if (plan.flush) {
    while (!syncing_.empty()) {
      io_->wait();
      collect();
    }
  }
  execute(job);
}

// Waits for the medium if it must. Also what finds out more about an error.
void FileEngine::execute(Job& job) noexcept {
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
  const bool inside = plan.range.end_bytes() <= store_.size_bytes();
  if (cached_ == CachedReads::always || !inside) return execute(job);
  ssize_t moved = 0;
  if (cached_ == CachedReads::sometimes && buffer.size() <= IOV_MAX) {
    moved = ::preadv2(descriptor_, buffer.data(), static_cast<int>(buffer.size()),
                      static_cast<off_t>(plan.range.offset_bytes()), RWF_NOWAIT);
    if (moved == static_cast<ssize_t>(plan.range.length_bytes())) return finish(job);
  }
  if (free_reads_.empty()) free_reads_.push_back(&pool_.emplace_back());
  Read& read = *free_reads_.back();
  free_reads_.pop_back();
  read.job = &job;
  read.moved_bytes = moved > 0 ? static_cast<u64>(moved) : 0;
  ++reads_;
  read_later(read);
}

void FileEngine::read_later(Read& read) noexcept {
  const Plan& plan = read.job->plan;
  read.buffer = plan.buffer(read.job->command->buffer);
  if (read.moved_bytes > 0) {
    read.rest = scsi::slice(read.buffer, read.moved_bytes, plan.range.length_bytes() - read.moved_bytes);
    read.buffer = read.rest;
  }
  read.buffer = read.buffer.first(std::min<std::size_t>(read.buffer.size(), IOV_MAX));
  read.offset_bytes = plan.range.offset_bytes() + read.moved_bytes;
  io_->start(read);
}

void FileEngine::read_finished(Read& read) noexcept {
  const bool again = read.result == -EINTR || read.result == -EAGAIN;
  if (read.result > 0) read.moved_bytes += static_cast<u64>(read.result);
  const bool whole = read.moved_bytes == read.job->plan.range.length_bytes();
  if (again || (read.result > 0 && !whole)) {
    read_later(read);
    io_->flush();
    return;
  }
  --reads_;
  free_reads_.push_back(&read);
  if (whole) {
    finish(*read.job);
  } else {
    execute(*read.job);
  }
}

void FileEngine::write(Job& job) noexcept {
  const Plan& plan = job.plan;
  const auto error = store_.write(plan.range.offset_bytes(), plan.buffer(job.command->buffer));
  if (error) {
    job.response = unit_.complete(plan, Step::transfer, error, job.scsi_command(), store_);
    done_.push_back(&job);
  } else if (plan.flush) {
    flush_later(job);
  } else {
    finish(job);
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
      read_finished(static_cast<Read&>(*operation));
    }
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
