// Preloaded into a program, makes one path (TCMUFS_SG_PATH, "/dev/sg99" if unset) an sg device that is an
// SgDevice in the same process. Every other path and descriptor goes to the C library.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

#include "sg_device.h"

namespace {

using tcmufs::test::SgDevice;

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool ours(const char* path) {
  const char* chosen = std::getenv("TCMUFS_SG_PATH");
  return path != nullptr && std::strcmp(path, chosen != nullptr ? chosen : "/dev/sg99") == 0;
}

/// The descriptors that are the device.
class Descriptors {
 public:
  static Descriptors& all() {
    static Descriptors descriptors;
    return descriptors;
  }
  int add() {
    const int fd = next<int (*)(const char*, int, ...)>("open")("/dev/null", O_RDWR | O_CLOEXEC);
    const std::lock_guard held(mutex_);
    if (fd >= 0) numbers_.insert(fd);
    return fd;
  }
  void remove(int fd) {
    const std::lock_guard held(mutex_);
    numbers_.erase(fd);
  }
  bool has(int fd) {
    const std::lock_guard held(mutex_);
    return numbers_.contains(fd);
  }
  int control(unsigned long request, void* argument) {
    const std::lock_guard held(mutex_);
    static SgDevice device(SgDevice::format_of_environment());
    const int result = device.control(request, argument);
    if (result >= 0) return result;
    errno = -result;
    return -1;
  }

 private:
  std::mutex mutex_;
  std::set<int> numbers_;  // guarded by mutex_
};

template <typename Stat>
int describe(Stat* result) {
  constexpr unsigned sg_major = 21;
  std::memset(result, 0, sizeof *result);
  result->st_mode = S_IFCHR | 0600;
  result->st_rdev = makedev(sg_major, 99);
  result->st_nlink = 1;
  result->st_blksize = 4096;
  return 0;
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  if (ours(path)) return Descriptors::all().add();
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return next<int (*)(const char*, int, ...)>("open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  if (ours(path)) return Descriptors::all().add();
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return next<int (*)(const char*, int, ...)>("open64")(path, flags, mode);
}

int openat(int directory, const char* path, int flags, ...) {
  if (ours(path)) return Descriptors::all().add();
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return next<int (*)(int, const char*, int, ...)>("openat")(directory, path, flags, mode);
}

int __open_2(const char* path, int flags) {
  return open(path, flags);
}
int __open64_2(const char* path, int flags) {
  return open64(path, flags);
}

int close(int fd) {
  Descriptors::all().remove(fd);
  return next<int (*)(int)>("close")(fd);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (Descriptors::all().has(fd)) return Descriptors::all().control(request, argument);
  return next<int (*)(int, unsigned long, ...)>("ioctl")(fd, request, argument);
}

int access(const char* path, int mode) noexcept {
  return ours(path) ? 0 : next<int (*)(const char*, int)>("access")(path, mode);
}

int stat(const char* path, struct stat* result) noexcept {
  return ours(path) ? describe(result) : next<int (*)(const char*, struct stat*)>("stat")(path, result);
}
int stat64(const char* path, struct stat64* result) noexcept {
  return ours(path) ? describe(result) : next<int (*)(const char*, struct stat64*)>("stat64")(path, result);
}
int fstat(int fd, struct stat* result) noexcept {
  return Descriptors::all().has(fd) ? describe(result)
                                    : next<int (*)(int, struct stat*)>("fstat")(fd, result);
}
int fstat64(int fd, struct stat64* result) noexcept {
  return Descriptors::all().has(fd) ? describe(result)
                                    : next<int (*)(int, struct stat64*)>("fstat64")(fd, result);
}

}  // extern "C"
