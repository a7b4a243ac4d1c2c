#pragma once

#include <memory>

#include "tcmufs/async_block_store.h"
#include "tcmufs/block_store.h"

namespace tcmufs::device {

/// A store whose operations end later as one that waits for them.
class WaitingStore final : public BlockStore {
 public:
  explicit WaitingStore(std::shared_ptr<AsyncBlockStore> store) : store_(std::move(store)) {}

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;
  bool has_write_cache() const override { return store_->has_write_cache(); }
  void flush() override;
  bool can_discard() const override { return store_->can_discard(); }
  void discard(std::uint64_t offset, std::uint64_t length) override;
  std::uint64_t size() const override { return store_->size(); }
  void resize(std::uint64_t size) override { store_->resize(size); }

 private:
  const std::shared_ptr<AsyncBlockStore> store_;
};

}  // namespace tcmufs::device
