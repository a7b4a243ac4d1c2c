#include "store/transfer.h"

#include <limits.h>

#include <algorithm>
#include <cerrno>

namespace tcmufs::store {

namespace {

// A place in a list of buffers.
class Cursor {
 public:
  explicit Cursor(std::span<const iovec> buffers) noexcept : rest_(buffers) { skip_empty(); }

  bool at_end() const noexcept { return rest_.empty(); }

  /// What is to be moved next: the remainder of one buffer that has been begun, or many whole ones.
  std::span<const iovec> next(iovec& remainder) const noexcept {
    if (begun_bytes_ == 0) return rest_.first(std::min<std::size_t>(rest_.size(), IOV_MAX));
    const iovec& first = rest_.front();
    remainder = {static_cast<char*>(first.iov_base) + begun_bytes_, first.iov_len - begun_bytes_};
    return {&remainder, 1};
  }

  void advance(std::size_t bytes) noexcept {
    begun_bytes_ += bytes;
    while (!rest_.empty() && begun_bytes_ >= rest_.front().iov_len) {
      begun_bytes_ -= rest_.front().iov_len;
      rest_ = rest_.subspan(1);
    }
  }

 private:
  void skip_empty() noexcept { advance(0); }

  std::span<const iovec> rest_;  // never begins with an empty buffer
  std::size_t begun_bytes_ = 0;  // of the first one: moved already
};

}  // namespace

u64 total_bytes(std::span<const iovec> buffers, u64 limit) noexcept {
  u64 left = limit;
  for (const iovec& buffer : buffers) {
    if (buffer.iov_len > left) return limit + 1;
    left -= buffer.iov_len;
  }
  return limit - left;
}

std::error_code transfer(VectorCall call, int fd, u64 offset, std::span<const iovec> buffers) noexcept {
  Cursor cursor(buffers);
  while (!cursor.at_end()) {
    iovec remainder;
    const std::span<const iovec> piece = cursor.next(remainder);
    const ssize_t moved = call(fd, piece.data(), static_cast<int>(piece.size()), static_cast<off_t>(offset));
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return {errno, std::generic_category()};
    if (moved == 0) return {EIO, std::generic_category()};
    cursor.advance(static_cast<std::size_t>(moved));
    offset += static_cast<u64>(moved);
  }
  return {};
}

}  // namespace tcmufs::store
