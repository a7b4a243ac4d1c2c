#pragma once

#include <ctime>

#include "sys/integers.h"

namespace tcmufs::volume {

/// Nanoseconds of the monotonic clock, without a system call.
inline u64 now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
}

}  // namespace tcmufs::volume
