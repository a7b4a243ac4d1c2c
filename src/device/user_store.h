#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "store/block_store.h"
#include "tcmufs/block_store.h"

namespace tcmufs::device {

/// A caller's store as one of ours: checks ranges, and makes errors of what it throws.
class UserStore final : public store::BlockStore {
 public:
  /// `user` may be null: then every transfer fails with EIO, and it has any size. `one_at_a_time`: no two of
  /// its functions run at once.
  UserStore(std::shared_ptr<tcmufs::BlockStore> user, u64 size_bytes, bool one_at_a_time);

  u64 size_bytes() const noexcept override { return size_; }
  [[nodiscard]] std::error_code read(u64 offset, std::span<const iovec> buffers) noexcept override;
  [[nodiscard]] std::error_code write(u64 offset, std::span<const iovec> buffers) noexcept override;
  [[nodiscard]] std::error_code flush() noexcept override;
  [[nodiscard]] std::error_code discard(u64 offset, u64 length) noexcept override;
  [[nodiscard]] std::error_code zero(u64 offset, u64 length) noexcept override;
  [[nodiscard]] std::error_code resize(u64 size_bytes) noexcept override;
  [[nodiscard]] std::error_code extent(u64 offset, Extent& result) noexcept override;

 private:
  template <typename Function>
  std::error_code within(u64 offset, u64 length, Function function) noexcept;

  const std::shared_ptr<tcmufs::BlockStore> user_;
  std::atomic<u64> size_;
  const bool one_at_a_time_;
  std::mutex mutex_;  // held in its functions, one_at_a_time
};

}  // namespace tcmufs::device
