#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

namespace tcmufs::store {

/// The system calls a FileStore does its I/O with; a test puts others in their place.
struct FileCalls {
  ssize_t (*preadv)(int, const iovec*, int, off_t) = ::preadv;
  ssize_t (*pwritev)(int, const iovec*, int, off_t) = ::pwritev;
  int (*fdatasync)(int) = ::fdatasync;
  int (*fallocate)(int, int, off_t, off_t) = ::fallocate;
  int (*ftruncate)(int, off_t) = ::ftruncate;
  off_t (*lseek)(int, off_t, int) = ::lseek;
  int (*flock)(int, int) = ::flock;
  int (*fstat)(int, struct stat*) = ::fstat;
  int (*fstatvfs)(int, struct statvfs*) = ::fstatvfs;
};

}  // namespace tcmufs::store
