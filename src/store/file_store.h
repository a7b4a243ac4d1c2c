#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "store/block_store.h"
#include "store/file_calls.h"
#include "sys/deadline.h"
#include "sys/fd.h"

namespace tcmufs::store {

/// The bytes of a regular file or of a block device.
///
/// Holds flock(LOCK_EX) on the open file description that does the I/O. The lock of a process that died lasts
/// as long as I/O it had under way: who gets it knows that no write of the predecessor can land any more.
///
/// The file is not mapped: one that was truncated behind our back gives EIO, neither zeros nor a signal.
/// resize() may run beside other operations; those that reach beyond the new size may fail with EIO.
class FileStore final : public BlockStore {
 public:
  /// Takes over `file`, open for reading and writing; `path` is for sentences. Waits for the lock until
  /// `deadline`. Throws Failure: EBUSY (another process has the lock), EINVAL (neither file nor block
  /// device).
  FileStore(Fd file, std::string path, const Deadline& deadline, const FileCalls& calls = {});

  u64 size_bytes() const noexcept override { return size_; }
  /// The block size of the file system: a hole is as good as made of whole ones. A block device cannot tell.
  u32 allocation_unit_bytes() const noexcept override { return allocation_unit_; }
  int fd() const noexcept { return file_.number(); }

  [[nodiscard]] std::error_code read(u64 offset, std::span<const iovec> buffers) noexcept override;
  [[nodiscard]] std::error_code write(u64 offset, std::span<const iovec> buffers) noexcept override;
  /// Fails for ever once it has failed: the kernel forgets the pages it could not write, so a later success
  /// would say nothing about them.
  [[nodiscard]] std::error_code flush() noexcept override;
  /// Punches a hole; the kernel zeroes what does not fill a block of the file system. Where holes cannot be
  /// had, zeros are written.
  [[nodiscard]] std::error_code discard(u64 offset, u64 length) noexcept override;
  [[nodiscard]] std::error_code zero(u64 offset, u64 length) noexcept override;
  /// A block device only takes the sizes it has room for (ENOSPC).
  [[nodiscard]] std::error_code resize(u64 size_bytes) noexcept override;
  [[nodiscard]] std::error_code extent(u64 offset, Extent& result) noexcept override;
  /// Of a file: its own blocks, and what the file system has left for those who are not root.
  [[nodiscard]] std::error_code space(Space& result) noexcept override;

 private:
  void lock(const Deadline& deadline) const;
  u32 block_size_of_file_system() const noexcept;
  std::error_code clear(int mode, u64 offset, u64 length) noexcept;
  std::error_code write_zeros(u64 offset, u64 length) noexcept;

  Fd file_;
  std::string path_;
  FileCalls calls_;
  bool block_device_ = false;
  u32 allocation_unit_ = 1;
  std::atomic<u64> size_{0};
  std::mutex flush_mutex_;
  int flush_error_ = 0;  // guarded by flush_mutex_
};

}  // namespace tcmufs::store
