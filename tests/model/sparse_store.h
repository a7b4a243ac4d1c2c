#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "bytes.h"
#include "store/block_store.h"

namespace tcmufs::model {

/// A store of any size in memory that writes down what is done to it, and fails where it is told to. For one
/// thread.
class SparseStore final : public store::BlockStore {
 public:
  enum class Operation : u8 { read, write, flush, discard, zero, extent, space };
  struct Event {
    Operation operation;
    u64 offset = 0;
    u64 length = 0;
    int error = 0;
  };
  struct Fault {
    Operation operation;
    int error;
    unsigned skip;  // times that go well
  };

  SparseStore(u64 size_bytes, u64 granule_bytes, u64 block_bytes)
      : size_(size_bytes), granule_(granule_bytes), block_(block_bytes) {}

  /// Once. A write that fails has written the first half of its blocks.
  void arm(const Fault& fault) { fault_ = fault; }
  /// The block at `offset` can neither be read nor written (EIO).
  void damage(u64 offset) { damaged_ = offset; }
  /// What has happened since the last call. No fault is armed any more, and no block damaged.
  std::vector<Event> take_events();

  Bytes peek(u64 offset, u64 length) const;
  bool mapped(u64 offset) const { return granules_.contains(offset / granule_); }
  /// Without an event.
  void poke(u64 offset, const Bytes& data);
  /// Of granules that hold anything.
  std::vector<u64> used_offsets() const;

  u64 size_bytes() const noexcept override { return size_; }
  std::error_code read(u64 offset, std::span<const iovec> buffers) noexcept override;
  std::error_code write(u64 offset, std::span<const iovec> buffers) noexcept override;
  std::error_code flush() noexcept override;
  std::error_code discard(u64 offset, u64 length) noexcept override;
  std::error_code zero(u64 offset, u64 length) noexcept override;
  std::error_code resize(u64 size_bytes) noexcept override;
  std::error_code extent(u64 offset, Extent& result) noexcept override;
  std::error_code space(Space& result) noexcept override;

 private:
  std::error_code note(Operation operation, u64 offset, u64 length);
  void put(u64 offset, std::span<const u8> bytes);
  void get(u64 offset, std::span<u8> bytes) const;
  void clear(u64 offset, u64 length, bool mapped);

  u64 size_;
  u64 granule_;
  u64 block_;
  std::map<u64, Bytes> granules_;  // the mapped ones by number; an empty one is all zeros
  std::vector<Event> events_;
  std::optional<Fault> fault_;
  std::optional<u64> damaged_;
};

}  // namespace tcmufs::model
