#include "store/file_store.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <utility>

#include "store/transfer.h"
#include "sys/error.h"

namespace tcmufs::store {

namespace {

// Never written to; not const, so that it takes no room in the program's file.
alignas(4096) std::array<std::byte, std::size_t{64} * 1024> zeros;

std::error_code error_of(int number) noexcept {
  return {number, std::generic_category()};
}

bool inside(u64 offset, u64 length, u64 size) noexcept {
  return offset <= size && length <= size - offset;
}

bool inside(u64 offset, std::span<const iovec> buffers, u64 size) noexcept {
  return inside(offset, total_bytes(buffers, size), size);
}

bool unsupported(int error) noexcept {
  return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL;
}

}  // namespace

FileStore::FileStore(Fd file, std::string path, const Deadline& deadline, const FileCalls& calls)
    : file_(std::move(file)), path_(std::move(path)), calls_(calls) {
  struct stat status {};
  if (calls_.fstat(descriptor(), &status) != 0) throw_errno("cannot look at the image " + quoted(path_));
  block_device_ = S_ISBLK(status.st_mode);
  if (!S_ISREG(status.st_mode) && !block_device_) {
    throw Failure(EINVAL, "the image " + quoted(path_) + " is neither a regular file nor a block device");
  }
  lock(deadline);
  const off_t end = calls_.lseek(descriptor(), 0, SEEK_END);
  if (end < 0) throw_errno("cannot tell the size of the image " + quoted(path_));
  size_ = static_cast<u64>(end);
  if (!block_device_) allocation_unit_ = block_size_of_file_system();
}

// f_bsize, not st_blksize: that is the preferred size of a transfer, which may be a whole stripe.
u32 FileStore::block_size_of_file_system() const noexcept {
  constexpr u32 largest = 1u << 20;
  struct statvfs system {};
  if (calls_.fstatvfs(descriptor(), &system) != 0) return 1;
  const u64 size = system.f_bsize;
  return std::has_single_bit(size) && size <= largest ? static_cast<u32>(size) : 1;
}

void FileStore::lock(const Deadline& deadline) const {
  const bool locked = poll_until(deadline, [&] {
    if (calls_.flock(descriptor(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) throw_errno("cannot lock the image " + quoted(path_));
    return false;
  });
  if (!locked) throw Failure(EBUSY, "the image " + quoted(path_) + " is in use by another process");
}

std::error_code FileStore::read(u64 offset, std::span<const iovec> buffers) noexcept {
  if (!inside(offset, buffers, size_)) return error_of(EIO);
  return transfer(calls_.preadv, descriptor(), offset, buffers);
}

std::error_code FileStore::write(u64 offset, std::span<const iovec> buffers) noexcept {
  if (!inside(offset, buffers, size_)) return error_of(EIO);
  return transfer(calls_.pwritev, descriptor(), offset, buffers);
}

std::error_code FileStore::flush() noexcept {
  // One at a time: only one of several concurrent calls is told of an error.
  const std::lock_guard lock(flush_mutex_);
  while (flush_error_ == 0 && calls_.fdatasync(descriptor()) != 0) {
    if (errno != EINTR) flush_error_ = errno;
  }
  return error_of(flush_error_);
}

std::error_code FileStore::discard(u64 offset, u64 length) noexcept {
  return clear(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

std::error_code FileStore::zero(u64 offset, u64 length) noexcept {
  return clear(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, length);
}

// Both modes leave zeros on all of the range (fallocate(2)).
std::error_code FileStore::clear(int mode, u64 offset, u64 length) noexcept {
  if (!inside(offset, length, size_)) return error_of(EIO);
  if (length == 0) return {};
  for (;;) {
    if (calls_.fallocate(descriptor(), mode, static_cast<off_t>(offset), static_cast<off_t>(length)) == 0)
      return {};
    if (errno == EINTR) continue;
    return unsupported(errno) ? write_zeros(offset, length) : error_of(errno);
  }
}

std::error_code FileStore::write_zeros(u64 offset, u64 length) noexcept {
  while (length > 0) {
    std::array<iovec, 16> pieces;
    std::size_t count = 0;
    u64 batch = 0;
    for (; count < pieces.size() && batch < length; ++count) {
      const std::size_t piece = std::min<u64>(zeros.size(), length - batch);
      pieces[count] = {zeros.data(), piece};
      batch += piece;
    }
    const auto error = transfer(calls_.pwritev, descriptor(), offset, std::span(pieces).first(count));
    if (error) return error;
    offset += batch;
    length -= batch;
  }
  return {};
}

std::error_code FileStore::resize(u64 size_bytes) noexcept {
  if (block_device_) {
    const off_t end = calls_.lseek(descriptor(), 0, SEEK_END);
    if (end < 0) return error_of(errno);
    if (size_bytes > static_cast<u64>(end)) return error_of(ENOSPC);
    size_ = size_bytes;
    return {};
  }
  if (size_bytes > static_cast<u64>(std::numeric_limits<off_t>::max())) return error_of(EFBIG);
  const u64 before = size_;
  // Smaller: nothing begins beyond the new end once the file is cut.
  if (size_bytes < before) size_ = size_bytes;
  while (calls_.ftruncate(descriptor(), static_cast<off_t>(size_bytes)) != 0) {
    if (errno == EINTR) continue;
    const int error = errno;
    size_ = before;
    return error_of(error);
  }
  size_ = size_bytes;
  return {};
}

std::error_code FileStore::extent(u64 offset, Extent& result) noexcept {
  const u64 size = size_;
  if (offset >= size) return error_of(EIO);
  const auto from = static_cast<off_t>(offset);
  off_t end = calls_.lseek(descriptor(), from, SEEK_DATA);
  bool mapped = end == from;
  if (mapped) end = calls_.lseek(descriptor(), from, SEEK_HOLE);
  if (end < 0 && errno == ENXIO) {
    // No data from here to the end of the file, wherever that is by now.
    end = calls_.lseek(descriptor(), 0, SEEK_END);
    if (end >= 0 && end <= from) return error_of(EIO);
    mapped = false;
  } else if (end < 0 && unsupported(errno)) {
    mapped = true;
    end = static_cast<off_t>(size);
  }
  if (end < 0) return error_of(errno);
  result = {mapped, std::min(static_cast<u64>(end), size) - offset};
  return {};
}

std::error_code FileStore::space(Space& result) noexcept {
  if (block_device_) return BlockStore::space(result);
  constexpr u64 stat_block_bytes = 512;
  struct stat file {};
  struct statvfs system {};
  if (calls_.fstat(descriptor(), &file) != 0 || calls_.fstatvfs(descriptor(), &system) != 0)
    return error_of(errno);
  result = {static_cast<u64>(file.st_blocks) * stat_block_bytes, u64{system.f_bavail} * system.f_frsize};
  return {};
}

}  // namespace tcmufs::store
