#pragma once

#include <sys/uio.h>

#include <memory>
#include <span>
#include <string>

#include "sys/integers.h"

namespace tcmufs::volume {

/// One operation on a file; stays where it is until it has come back from finished().
struct AsyncOperation {
  enum class Kind : u8 { read, write, sync };

  Kind kind = Kind::read;
  u64 offset_bytes = 0;
  std::span<const iovec> buffer;  // at most IOV_MAX pieces
  /// Bytes moved, or a negative errno value. May be fewer than asked for.
  ssize_t result = 0;
};

/// What may take long on a file, without waiting for it. Used by one thread. The destructor waits for what is
/// under way.
class AsyncIo {
 public:
  AsyncIo() = default;
  AsyncIo(const AsyncIo&) = delete;
  AsyncIo& operator=(const AsyncIo&) = delete;
  virtual ~AsyncIo() = default;

  virtual void start(AsyncOperation& operation) noexcept = 0;
  /// Sets going what has been started since the last call: one system call for all of it.
  virtual void flush() noexcept = 0;
  /// The next that has been finished; nullptr if there is none now.
  virtual AsyncOperation* finished() noexcept = 0;
  /// Waits until finished() has one; something must be under way.
  virtual void wait() noexcept = 0;
  /// Polls readable when finished() has one.
  virtual int fd() const noexcept = 0;

  /// "io_uring" or "threads".
  virtual std::string name() const = 0;
};

/// By io_uring. Throws Failure where the kernel does not have it, or does not let us.
std::unique_ptr<AsyncIo> make_uring_io(int file);
/// By threads, which are made when they are needed first.
std::unique_ptr<AsyncIo> make_thread_io(int file);

}  // namespace tcmufs::volume
