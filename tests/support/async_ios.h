#pragma once

#include <memory>
#include <string>

#include "sys/error.h"
#include "volume/async_io.h"

namespace tcmufs::test {

enum class AsyncKind { uring, threads };

inline std::string name_of(AsyncKind kind) {
  return kind == AsyncKind::uring ? "IoUring" : "Threads";
}

/// nullptr, and `why_not`, where the kernel does not let us.
inline std::unique_ptr<volume::AsyncIo> make_async_io(AsyncKind kind, int file, std::string& why_not) {
  if (kind == AsyncKind::threads) return volume::make_thread_io(file);
  try {
    return volume::make_uring_io(file);
  } catch (const Failure& failure) {
    why_not = failure.what();
    return nullptr;
  }
}

}  // namespace tcmufs::test
