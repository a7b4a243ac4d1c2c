#pragma once

#include <cstdlib>
#include <random>
#include <string>

#include "sys/integers.h"

namespace tcmufs::test {

/// TCMUFS_SEED, or one that is new every time. To be printed, so that a failure can be seen again.
inline u64 seed() {
  const char* given = std::getenv("TCMUFS_SEED");
  return given != nullptr ? std::stoull(given) : std::random_device{}();
}

}  // namespace tcmufs::test
