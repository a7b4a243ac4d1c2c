#include "device/user_store.h"

#include <cerrno>
#include <utility>

#include "device/errors.h"
#include "scsi/buffer.h"

namespace tcmufs::device {

UserStore::UserStore(std::shared_ptr<tcmufs::BlockStore> user, u64 size_bytes, bool one_at_a_time)
    : user_(std::move(user)), size_(size_bytes), one_at_a_time_(one_at_a_time) {}

template <typename Function>
std::error_code UserStore::within(u64 offset, u64 length, Function function) noexcept {
  const u64 size = size_;
  if (!user_ || offset > size || length > size - offset) return {EIO, std::generic_category()};
  return attempt([&] {
    std::unique_lock held(mutex_, std::defer_lock);
    if (one_at_a_time_) held.lock();
    function();
  });
}

std::error_code UserStore::read(u64 offset, std::span<const iovec> buffers) noexcept {
  return within(offset, scsi::length_bytes(buffers), [&] {
    u64 at = offset;
    for (const iovec& piece : buffers) {
      if (piece.iov_len > 0) user_->read(at, {static_cast<std::byte*>(piece.iov_base), piece.iov_len});
      at += piece.iov_len;
    }
  });
}

std::error_code UserStore::write(u64 offset, std::span<const iovec> buffers) noexcept {
  return within(offset, scsi::length_bytes(buffers), [&] {
    u64 at = offset;
    for (const iovec& piece : buffers) {
      if (piece.iov_len > 0) user_->write(at, {static_cast<const std::byte*>(piece.iov_base), piece.iov_len});
      at += piece.iov_len;
    }
  });
}

std::error_code UserStore::flush() noexcept {
  if (!user_) return {};
  return within(0, 0, [&] {
    if (user_->has_write_cache()) user_->flush();
  });
}

std::error_code UserStore::discard(u64 offset, u64 length) noexcept {
  return within(offset, length, [&] { user_->discard(offset, length); });
}

std::error_code UserStore::zero(u64 offset, u64 length) noexcept {
  return within(offset, length, [&] { user_->zero(offset, length); });
}

std::error_code UserStore::resize(u64 size_bytes) noexcept {
  const auto error = user_ ? within(0, 0, [&] { user_->resize(size_bytes); }) : std::error_code();
  if (!error) size_ = size_bytes;
  return error;
}

std::error_code UserStore::extent(u64 offset, Extent& result) noexcept {
  result = {true, size_bytes() - offset};
  return {};
}

}  // namespace tcmufs::device
