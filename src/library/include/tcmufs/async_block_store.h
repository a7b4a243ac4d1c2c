#pragma once

#include <tcmufs/export.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>

TCMUFS_BEGIN

/// How an operation of an AsyncBlockStore ends: to be called once, from any thread, also before the function
/// that was given it has returned. One that is destroyed without having been called ends its operation with
/// EIO: nothing hangs.
class TCMUFS_API Completion {
 public:
  Completion(Completion&& other) noexcept : operation_(std::exchange(other.operation_, nullptr)) {}
  Completion& operator=(Completion&& other) noexcept {
    std::swap(operation_, other.operation_);
    return *this;
  }
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;
  ~Completion();

  /// It has been done; or not, with an errno value, which becomes sense as what a BlockStore throws does.
  /// Another call does nothing.
  void operator()(std::error_code error = {}) noexcept;

 private:
  friend struct CompletionParts;
  struct Operation;
  explicit Completion(Operation& operation) noexcept : operation_(&operation) {}

  Operation* operation_;
};

/// A BlockStore whose functions begin something, and return: as many at once as there are commands, from one
/// thread of the library. Buffers are valid until the completion is called; what is written is not to be
/// touched. Offsets, lengths, and what they may be: as for BlockStore. A function that throws has not begun,
/// and the operation ends with what it has thrown.
///
/// Reads and writes that are under way together may be carried out in any order. Of operations that are more
/// than one read or write (UNMAP, COMPARE AND WRITE, VERIFY ...) each is alone.
class TCMUFS_API AsyncBlockStore {
 public:
  AsyncBlockStore() = default;
  AsyncBlockStore(const AsyncBlockStore&) = delete;
  AsyncBlockStore& operator=(const AsyncBlockStore&) = delete;
  virtual ~AsyncBlockStore();

  virtual void read(std::uint64_t offset, std::span<std::byte> data, Completion done) = 0;
  virtual void write(std::uint64_t offset, std::span<const std::byte> data, Completion done) = 0;

  /// As BlockStore's; flush() is about the writes that had been completed when it was called.
  virtual bool has_write_cache() const;
  virtual void flush(Completion done);

  /// As BlockStore's. Ranges that are to be zeros are written so where it cannot discard.
  virtual bool can_discard() const;
  virtual void discard(std::uint64_t offset, std::uint64_t length, Completion done);

  virtual std::uint64_t size() const;
  /// Returns when it has been done; reads and writes may be under way.
  virtual void resize(std::uint64_t size);
};

TCMUFS_END
