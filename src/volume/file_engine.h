#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "store/block_store.h"
#include "volume/async_io.h"
#include "volume/engine.h"

namespace tcmufs::volume {

/// Whether a read of a file can be done at once if it need not wait for the medium.
enum class CachedReads : u8 {
  always,     // it never waits: the file is in memory
  sometimes,  // RWF_NOWAIT tells
  unknown,
};
CachedReads cached_reads(int descriptor) noexcept;

/// Carries out the jobs of a store that is a file, without waiting for the medium where a command might:
/// - a read of what the page cache has is done at once; any other is given to `io`, many at a time;
/// - a write goes into the page cache at once;
/// - flushes are given to `io`, one at a time, since only one of several that run together is told of an
/// error; those that
///   arrive meanwhile share the next one;
/// - everything else (UNMAP, COMPARE AND WRITE, ...) is done at once, in the calling thread.
/// No write is ever under way, so that nothing has to wait for one.
class FileEngine final : public Engine {
 public:
  /// `store`'s bytes are those of the file `descriptor`.
  FileEngine(scsi::LogicalUnit& unit, store::BlockStore& store, int descriptor, std::unique_ptr<AsyncIo> io);
  /// No job may be left.
  ~FileEngine() override = default;

  void submit(std::span<Job* const> jobs) noexcept override;
  std::span<Job* const> reap() noexcept override;
  bool idle() const noexcept override { return reads_ == 0 && syncing_.empty() && done_.empty(); }
  int fd() const noexcept override { return io_->fd(); }
  void wait() noexcept override;
  std::string name() const override { return io_->name(); }

 private:
  struct Read : AsyncOperation {
    Job* job = nullptr;
    u64 moved_bytes = 0;
    std::vector<iovec> rest;
  };
  void begin(Job& job) noexcept;
  void read(Job& job) noexcept;
  void read_later(Read& read) noexcept;
  void read_finished(Read& read) noexcept;
  void write(Job& job) noexcept;
  void flush_later(Job& job) noexcept;
  void flush_now() noexcept;
  void flush_finished() noexcept;
  void execute(Job& job) noexcept;
  void finish(Job& job, scsi::LogicalUnit::Step step = scsi::LogicalUnit::Step::transfer,
              std::error_code error = {}) noexcept;
  void collect() noexcept;

  scsi::LogicalUnit& unit_;
  store::BlockStore& store_;
  const int descriptor_;
  const CachedReads cached_;
  std::unique_ptr<AsyncIo> io_;
  std::deque<Read> pool_;  // never shrinks: a Read keeps its address
  std::vector<Read*> free_reads_;
  std::size_t reads_ = 0;  // under way
  AsyncOperation sync_;
  std::vector<Job*> syncing_;       // share the flush that is under way
  std::vector<Job*> next_syncing_;  // share the next one
  std::vector<Job*> done_;
  std::vector<Job*> given_;
};

/// The engine for a store: a FileEngine by io_uring, or by threads where that cannot be had, if the store is
/// a file; one that waits for every command if it is not.
std::unique_ptr<Engine> make_engine(scsi::LogicalUnit& unit, store::BlockStore& store);

}  // namespace tcmufs::volume
