#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "store/block_store.h"
#include "volume/async_io.h"
#include "volume/direct_access.h"
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
/// - of a file that was opened with O_DIRECT all reads and writes that comply with its alignment are given to
/// `io`;
/// - flushes are given to `io`, one at a time, since only one of several that run together is told of an
/// error; those
///   that arrive meanwhile share the next one;
/// - everything else (UNMAP, COMPARE AND WRITE, what is not aligned, ...) is done at once, in the calling
/// thread, and
///   alone: no direct I/O is under way then.
class FileEngine final : public Engine {
 public:
  /// `store`'s bytes are those of the file `descriptor`.
  FileEngine(scsi::LogicalUnit& unit, store::BlockStore& store, int descriptor, std::unique_ptr<AsyncIo> io);
  /// No job may be left.
  ~FileEngine() override = default;

  void submit(std::span<Job* const> jobs) noexcept override;
  std::span<Job* const> reap() noexcept override;
  bool idle() const noexcept override {
    return transfers_ == 0 && syncing_.empty() && done_.empty() && failed_.empty();
  }
  int fd() const noexcept override { return io_->fd(); }
  void wait() noexcept override;
  std::string name() const override { return io_->name(); }

 private:
  struct Transfer : AsyncOperation {
    Job* job = nullptr;
    u64 moved_bytes = 0;
    std::vector<iovec> rest;
  };
  void begin(Job& job) noexcept;
  void read(Job& job) noexcept;
  void write(Job& job) noexcept;
  void transfer_later(Job& job, AsyncOperation::Kind kind, u64 moved_bytes = 0) noexcept;
  void go_on(Transfer& transfer) noexcept;
  void transfer_finished(Transfer& transfer) noexcept;
  bool gone_wrong(const Transfer& transfer) const noexcept;
  void flush_later(Job& job) noexcept;
  void flush_now() noexcept;
  void flush_finished() noexcept;
  void execute(Job& job) noexcept;
  void finish(Job& job, scsi::LogicalUnit::Step step = scsi::LogicalUnit::Step::transfer,
              std::error_code error = {}) noexcept;
  void written(Job& job) noexcept;
  void refuse_write(Job& job, std::error_code error) noexcept;
  void collect() noexcept;
  void wait_for_all() noexcept;
  void look_into_failures() noexcept;

  scsi::LogicalUnit& unit_;
  store::BlockStore& store_;
  const int descriptor_;
  const DirectAccess direct_;
  const CachedReads cached_;
  std::unique_ptr<AsyncIo> io_;
  std::deque<Transfer> pool_;  // never shrinks: a Transfer keeps its address
  std::vector<Transfer*> free_;
  std::size_t transfers_ = 0;      // under way
  std::vector<Transfer*> failed_;  // to be looked into
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
