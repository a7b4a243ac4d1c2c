#pragma once

#include "store/block_store.h"

namespace tcmufs::test {

/// Takes every write and fills no read: what is left of a command is everything but its I/O.
class NullStore : public store::BlockStore {
 public:
  explicit NullStore(u64 size_bytes) : size_bytes_(size_bytes) {}

  u64 size_bytes() const noexcept override { return size_bytes_; }
  std::error_code read(u64, std::span<const iovec>) noexcept override { return {}; }
  std::error_code write(u64, std::span<const iovec>) noexcept override { return {}; }
  std::error_code flush() noexcept override { return {}; }
  std::error_code discard(u64, u64) noexcept override { return {}; }
  std::error_code zero(u64, u64) noexcept override { return {}; }
  std::error_code resize(u64) noexcept override { return {}; }
  std::error_code extent(u64 offset, Extent& result) noexcept override {
    result = {true, size_bytes_ - offset};
    return {};
  }

 private:
  const u64 size_bytes_;
};

}  // namespace tcmufs::test
