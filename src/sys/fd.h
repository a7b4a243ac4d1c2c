#pragma once

#include <fcntl.h>

#include <string>
#include <utility>

namespace tcmufs {

/// Owns one file descriptor. Not thread-safe.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  int number() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept;
  /// Gives the descriptor up: the caller closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// open(2), always with O_CLOEXEC; throws Failure that names the path.
Fd open_file(const std::string& path, int flags, mode_t mode = 0);

/// openat(2) below the directory `directory`; `shown` is the path for the error's sentence.
Fd open_file_at(int directory, const std::string& name, int flags, mode_t mode, const std::string& shown);

/// An eventfd (EFD_CLOEXEC | EFD_NONBLOCK).
Fd make_event();

/// Makes the eventfd readable. Async-signal-safe.
void raise_event(int event) noexcept;

/// Makes the eventfd unreadable again.
void clear_event(int event) noexcept;

}  // namespace tcmufs
