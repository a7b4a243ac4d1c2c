#include "sys/fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "sys/error.h"

namespace tcmufs {

void Fd::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Fd open_file(const std::string& path, int flags, mode_t mode) {
  return open_file_at(AT_FDCWD, path, flags, mode, path);
}

Fd open_file_at(int directory, const std::string& name, int flags, mode_t mode, const std::string& shown) {
  const int fd = ::openat(directory, name.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) throw_errno("cannot open " + quoted(shown));
  return Fd(fd);
}

Fd make_event() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw_errno("cannot make an eventfd");
  return Fd(fd);
}

void raise_event(int event) noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
}

void clear_event(int event) noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(event, &count, sizeof count);
}

}  // namespace tcmufs
