#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "store/block_store.h"

namespace tcmufs::test {

enum class Operation : u8 { read, write, flush, discard, zero, resize, extent, space };

/// A BlockStore in memory. Any operation can be made to fail; what has not been flushed can be lost. Space is
/// allocated in granules. May be used by several threads.
class MemoryStore final : public store::BlockStore {
 public:
  explicit MemoryStore(u64 size_bytes, u64 granule_bytes = 4096) : granule_(granule_bytes) {
    set_size(size_bytes);
  }

  /// `operation` fails with errno `error`: the next time after `skip` times that go well, and then for ever,
  /// or `times` times.
  void fail(Operation operation, int error, unsigned skip = 0, unsigned times = 1u << 30) {
    const std::lock_guard held(mutex_);
    faults_[index(operation)] = {error, skip, times};
  }
  void heal() {
    const std::lock_guard held(mutex_);
    faults_ = {};
    spoilt_.clear();
  }
  /// From now on the bytes there can be neither read nor written.
  void spoil(u64 offset, u64 length) {
    const std::lock_guard held(mutex_);
    spoilt_.emplace_back(offset, offset + length);
  }
  /// What space() says is left.
  void set_available(u64 bytes) {
    const std::lock_guard held(mutex_);
    available_ = bytes;
  }
  /// How often it has been called.
  unsigned calls(Operation operation) const {
    const std::lock_guard held(mutex_);
    return calls_[index(operation)];
  }
  unsigned changes() const {
    return calls(Operation::write) + calls(Operation::discard) + calls(Operation::zero);
  }

  std::vector<u8> bytes() const {
    const std::lock_guard held(mutex_);
    return bytes_;
  }
  /// As the last flush left it: what a power cut would leave.
  std::vector<u8> stable_bytes() const {
    const std::lock_guard held(mutex_);
    return stable_;
  }
  /// Fills the whole store, so that nothing of it is a hole.
  void fill(u8 byte) {
    const std::lock_guard held(mutex_);
    std::fill(bytes_.begin(), bytes_.end(), byte);
    std::fill(mapped_.begin(), mapped_.end(), true);
    touch(0, bytes_.size());
  }

  u64 size_bytes() const noexcept override {
    const std::lock_guard held(mutex_);
    return bytes_.size();
  }

  u32 allocation_unit_bytes() const noexcept override { return static_cast<u32>(granule_); }

  std::error_code read(u64 offset, std::span<const iovec> buffers) noexcept override {
    const std::lock_guard held(mutex_);
    if (const auto error = before(Operation::read, offset, total(buffers))) return error;
    for (const iovec& buffer : buffers) {
      if (buffer.iov_len > 0) std::memcpy(buffer.iov_base, bytes_.data() + offset, buffer.iov_len);
      offset += buffer.iov_len;
    }
    return {};
  }

  std::error_code write(u64 offset, std::span<const iovec> buffers) noexcept override {
    const std::lock_guard held(mutex_);
    if (const auto error = before(Operation::write, offset, total(buffers))) return error;
    map(offset, total(buffers));
    touch(offset, total(buffers));
    for (const iovec& buffer : buffers) {
      if (buffer.iov_len > 0) std::memcpy(bytes_.data() + offset, buffer.iov_base, buffer.iov_len);
      offset += buffer.iov_len;
    }
    return {};
  }

  std::error_code flush() noexcept override {
    const std::lock_guard held(mutex_);
    if (const auto error = before(Operation::flush, 0, 0)) return error;
    if (touched_from_ < touched_to_) {
      std::copy(at(touched_from_), at(touched_to_),
                stable_.begin() + static_cast<std::ptrdiff_t>(touched_from_));
    }
    touched_from_ = bytes_.size();
    touched_to_ = 0;
    return {};
  }

  std::error_code discard(u64 offset, u64 length) noexcept override {
    const std::lock_guard held(mutex_);
    if (const auto error = before(Operation::discard, offset, length)) return error;
    std::fill_n(at(offset), length, u8{0});
    touch(offset, length);
    const u64 end = offset + length;
    for (u64 granule = (offset + granule_ - 1) / granule_; granule < mapped_.size(); ++granule) {
      if (std::min<u64>((granule + 1) * granule_, bytes_.size()) > end) break;
      mapped_[granule] = false;
    }
    return {};
  }

  std::error_code zero(u64 offset, u64 length) noexcept override {
    const std::lock_guard held(mutex_);
    if (const auto error = before(Operation::zero, offset, length)) return error;
    map(offset, length);
    touch(offset, length);
    std::fill_n(at(offset), length, u8{0});
    return {};
  }

  std::error_code resize(u64 size_bytes) noexcept override {
    const std::lock_guard held(mutex_);
    if (const auto error = before(Operation::resize, 0, 0)) return error;
    set_size(size_bytes);
    return {};
  }

  std::error_code extent(u64 offset, Extent& result) noexcept override {
    const std::lock_guard held(mutex_);
    if (const auto error = before(Operation::extent, offset, 1)) return error;
    u64 granule = offset / granule_;
    result.mapped = mapped_[granule];
    while (granule < mapped_.size() && mapped_[granule] == result.mapped) ++granule;
    result.length_bytes = std::min<u64>(granule * granule_, bytes_.size()) - offset;
    return {};
  }

  std::error_code space(Space& result) noexcept override {
    const std::lock_guard held(mutex_);
    if (const auto error = before(Operation::space, 0, 0)) return error;
    result = {static_cast<u64>(std::count(mapped_.begin(), mapped_.end(), true)) * granule_, available_};
    return {};
  }

 private:
  struct Fault {
    int error = 0;
    unsigned skip = 0;
    unsigned times = 0;
  };
  static constexpr std::size_t index(Operation operation) { return static_cast<std::size_t>(operation); }
  static u64 total(std::span<const iovec> buffers) {
    u64 sum = 0;
    for (const iovec& buffer : buffers) sum += buffer.iov_len;
    return sum;
  }
  std::vector<u8>::iterator at(u64 offset) { return bytes_.begin() + static_cast<std::ptrdiff_t>(offset); }

  std::error_code before(Operation operation, u64 offset, u64 length) {
    ++calls_[index(operation)];
    Fault& fault = faults_[index(operation)];
    if (fault.times > 0 && fault.skip > 0) {
      --fault.skip;
    } else if (fault.times > 0) {
      --fault.times;
      return {fault.error, std::generic_category()};
    }
    if (offset > bytes_.size() || length > bytes_.size() - offset) return {EIO, std::generic_category()};
    if (operation == Operation::read || operation == Operation::write) {
      for (const auto& [from, to] : spoilt_) {
        if (offset < to && from < offset + length) return {EIO, std::generic_category()};
      }
    }
    return {};
  }
  void map(u64 offset, u64 length) {
    if (length == 0) return;
    const u64 last = (offset + length - 1) / granule_;
    for (u64 granule = offset / granule_; granule <= last; ++granule) mapped_[granule] = true;
  }
  void touch(u64 offset, u64 length) {
    touched_from_ = std::min(touched_from_, offset);
    touched_to_ = std::max(touched_to_, offset + length);
  }
  void set_size(u64 size_bytes) {
    touched_to_ = std::min(touched_to_, size_bytes);
    bytes_.resize(size_bytes);
    stable_.resize(size_bytes);
    mapped_.resize((size_bytes + granule_ - 1) / granule_);
  }

  const u64 granule_;
  mutable std::mutex mutex_;
  std::vector<u8> bytes_;  // these, and what follows, are guarded by mutex_
  std::vector<u8> stable_;
  std::vector<bool> mapped_;  // by granule
  u64 touched_from_ = 0;      // from here to there it may have been written to since the last flush
  u64 touched_to_ = 0;
  std::vector<std::pair<u64, u64>> spoilt_;
  u64 available_ = u64{1} << 30;
  std::array<Fault, 8> faults_{};
  std::array<unsigned, 8> calls_{};
};

}  // namespace tcmufs::test
