#include "sparse_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "policy.h"

namespace tcmufs::model {

namespace {

std::size_t total(std::span<const iovec> buffers) {
  std::size_t sum = 0;
  for (const iovec& buffer : buffers) sum += buffer.iov_len;
  return sum;
}

}  // namespace

std::vector<SparseStore::Event> SparseStore::take_events() {
  fault_.reset();
  damaged_.reset();
  return std::exchange(events_, {});
}

std::error_code SparseStore::note(Operation operation, u64 offset, u64 length) {
  int error = offset > size_ || length > size_ - offset ? EIO : 0;
  if (fault_ && fault_->operation == operation && fault_->skip-- == 0)
    error = std::exchange(fault_, {})->error;
  const bool moves = operation == Operation::read || operation == Operation::write;
  if (damaged_ && moves && offset < *damaged_ + block_ && *damaged_ < offset + length) error = EIO;
  events_.push_back({operation, offset, length, error});
  return {error, std::generic_category()};
}

void SparseStore::get(u64 offset, std::span<u8> bytes) const {
  while (!bytes.empty()) {
    const u64 within = offset % granule_;
    const std::size_t length = std::min<u64>(granule_ - within, bytes.size());
    const auto found = granules_.find(offset / granule_);
    if (found == granules_.end() || found->second.empty()) {
      std::memset(bytes.data(), 0, length);
    } else {
      std::memcpy(bytes.data(), found->second.data() + within, length);
    }
    bytes = bytes.subspan(length);
    offset += length;
  }
}

void SparseStore::put(u64 offset, std::span<const u8> bytes) {
  while (!bytes.empty()) {
    const u64 within = offset % granule_;
    const std::size_t length = std::min<u64>(granule_ - within, bytes.size());
    Bytes& granule = granules_[offset / granule_];
    granule.resize(granule_);
    std::memcpy(granule.data() + within, bytes.data(), length);
    bytes = bytes.subspan(length);
    offset += length;
  }
}

void SparseStore::clear(u64 offset, u64 length, bool mapped) {
  const u64 end = offset + length;
  if (mapped) {
    for (u64 at = offset / granule_; length > 0 && at <= (end - 1) / granule_; ++at)
      granules_.try_emplace(at);
  }
  auto at = granules_.lower_bound(offset / granule_);
  while (at != granules_.end() && at->first * granule_ < end) {
    const u64 begin = std::max(at->first * granule_, offset);
    const u64 behind = std::min((at->first + 1) * granule_, end);
    const bool whole = begin % granule_ == 0 && (behind % granule_ == 0 || behind == size_);
    if (whole && !mapped) {
      at = granules_.erase(at);
      continue;
    }
    if (whole) {
      at->second.clear();
    } else if (!at->second.empty()) {
      std::memset(at->second.data() + begin % granule_, 0, behind - begin);
    }
    ++at;
  }
}

Bytes SparseStore::peek(u64 offset, u64 length) const {
  Bytes bytes(length);
  get(offset, bytes);
  return bytes;
}

void SparseStore::poke(u64 offset, const Bytes& data) {
  put(offset, data);
}

std::vector<u64> SparseStore::used_offsets() const {
  std::vector<u64> offsets;
  for (const auto& [number, bytes] : granules_) offsets.push_back(number * granule_);
  return offsets;
}

std::error_code SparseStore::read(u64 offset, std::span<const iovec> buffers) noexcept {
  if (const auto error = note(Operation::read, offset, total(buffers))) return error;
  for (const iovec& buffer : buffers) {
    get(offset, {static_cast<u8*>(buffer.iov_base), buffer.iov_len});
    offset += buffer.iov_len;
  }
  return {};
}

std::error_code SparseStore::write(u64 offset, std::span<const iovec> buffers) noexcept {
  const auto error = note(Operation::write, offset, total(buffers));
  std::size_t left = error ? total(buffers) / block_ / 2 * block_ : total(buffers);
  if (error.value() == EIO && offset + left > size_) return error;
  for (const iovec& buffer : buffers) {
    const std::size_t length = std::min(buffer.iov_len, left);
    put(offset, {static_cast<const u8*>(buffer.iov_base), length});
    offset += length;
    left -= length;
  }
  return error;
}

std::error_code SparseStore::flush() noexcept {
  return note(Operation::flush, 0, 0);
}

std::error_code SparseStore::discard(u64 offset, u64 length) noexcept {
  const auto error = note(Operation::discard, offset, length);
  if (!error) clear(offset, length, false);
  return error;
}

std::error_code SparseStore::zero(u64 offset, u64 length) noexcept {
  const auto error = note(Operation::zero, offset, length);
  if (!error) clear(offset, length, true);
  return error;
}

std::error_code SparseStore::resize(u64 size_bytes) noexcept {
  if (size_bytes < size_) {
    const u64 behind = size_bytes + (granule_ - 1);
    granules_.erase(granules_.lower_bound(behind / granule_), granules_.end());
    const auto last = granules_.find(size_bytes / granule_);
    if (last != granules_.end() && !last->second.empty()) {
      std::memset(last->second.data() + size_bytes % granule_, 0, granule_ - size_bytes % granule_);
    }
  }
  size_ = size_bytes;
  return {};
}

std::error_code SparseStore::space(Space& result) noexcept {
  if (const auto error = note(Operation::space, 0, 0)) return error;
  result = {granules_.size() * granule_, policy::available_bytes};
  return {};
}

std::error_code SparseStore::extent(u64 offset, Extent& result) noexcept {
  if (const auto error = note(Operation::extent, offset, 1)) return error;
  u64 granule = offset / granule_;
  auto at = granules_.lower_bound(granule);
  result.mapped = at != granules_.end() && at->first == granule;
  if (result.mapped) {
    while (at != granules_.end() && at->first == granule) ++at, ++granule;
  } else {
    granule = at == granules_.end() ? size_ / granule_ + 1 : at->first;
  }
  result.length_bytes = std::min(granule * granule_, size_) - offset;
  return {};
}

}  // namespace tcmufs::model
