#include "store/copy_range.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "sys/error.h"

namespace tcmufs::store {

namespace {

constexpr u64 most_at_once = u64{256} << 20;
constexpr u64 buffer_bytes = u64{1} << 20;

u64 size_of(int file) {
  struct stat st {};
  if (::fstat(file, &st) != 0) throw_errno("cannot stat an image");
  return static_cast<u64>(st.st_size);
}

bool share(int from, u64 from_offset, int to, u64 to_offset, u64 length) {
  const file_clone_range range{from, from_offset, length, to_offset};
  return ::ioctl(to, FICLONERANGE, &range) == 0;
}

void write_all(int file, u64 offset, const std::byte* bytes, u64 length) {
  while (length > 0) {
    const ssize_t n = ::pwrite(file, bytes, length, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot write the copy of an image");
    offset += static_cast<u64>(n);
    bytes += n;
    length -= static_cast<u64>(n);
  }
}

/// Fewer than `length` at the end of `from`.
u64 copy_through_memory(int from, u64 from_offset, int to, u64 to_offset, u64 length) {
  const auto buffer = std::make_unique<std::byte[]>(buffer_bytes);
  u64 done = 0;
  while (done < length) {
    const ssize_t n = ::pread(from, buffer.get(), std::min(buffer_bytes, length - done),
                              static_cast<off_t>(from_offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot read the image that is copied");
    if (n == 0) break;
    write_all(to, to_offset + done, buffer.get(), static_cast<u64>(n));
    done += static_cast<u64>(n);
  }
  return done;
}

u64 copy_data(int from, u64 from_offset, int to, u64 to_offset, u64 length) {
  auto in = static_cast<loff_t>(from_offset);
  auto out = static_cast<loff_t>(to_offset);
  for (;;) {
    const ssize_t n = ::copy_file_range(from, &in, to, &out, length, 0);
    if (n >= 0) return static_cast<u64>(n);
    if (errno == EINTR) continue;
    if (errno == EXDEV || errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS) break;
    throw_errno("cannot copy an image");
  }
  return copy_through_memory(from, from_offset, to, to_offset, length);
}

/// The range reads as zeros afterwards.
void clear(int file, u64 offset, u64 length) {
  const u64 size = size_of(file);
  if (offset < size) {
    const u64 inside = std::min(length, size - offset);
    if (::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(inside)) != 0) {
      if (errno != EOPNOTSUPP && errno != ENOSYS) throw_errno("cannot make a hole in the copy of an image");
      const auto zeros = std::make_unique<std::byte[]>(buffer_bytes);
      for (u64 done = 0; done < inside; done += std::min(buffer_bytes, inside - done))
        write_all(file, offset + done, zeros.get(), std::min(buffer_bytes, inside - done));
    }
  }
  if (offset + length > size && ::ftruncate(file, static_cast<off_t>(offset + length)) != 0)
    throw_errno("cannot make the copy of an image longer");
}

/// Where the hole at `offset` ends; `offset` itself if there is data, or holes cannot be seen.
u64 end_of_hole(int file, u64 offset, u64 end) {
  const off_t data = ::lseek(file, static_cast<off_t>(offset), SEEK_DATA);
  if (data >= 0) return std::min(static_cast<u64>(data), end);
  return errno == ENXIO ? end : offset;
}

u64 end_of_data(int file, u64 offset, u64 end) {
  const off_t hole = ::lseek(file, static_cast<off_t>(offset), SEEK_HOLE);
  return hole > static_cast<off_t>(offset) ? std::min(static_cast<u64>(hole), end) : end;
}

}  // namespace

u64 copy_range(int from, u64 from_offset, int to, u64 to_offset, u64 length) {
  const u64 size = size_of(from);
  if (from_offset >= size) return 0;
  length = std::min(length, size - from_offset);
  if (share(from, from_offset, to, to_offset, length)) return length;
  const u64 end = from_offset + std::min(length, most_at_once);
  u64 at = from_offset;
  while (at < end) {
    const u64 data = end_of_hole(from, at, end);
    if (data > at) {
      clear(to, to_offset + (at - from_offset), data - at);
      at = data;
      continue;
    }
    const u64 copied =
        copy_data(from, at, to, to_offset + (at - from_offset), end_of_data(from, at, end) - at);
    if (copied == 0) break;
    at += copied;
  }
  return at - from_offset;
}

}  // namespace tcmufs::store
