#include <gtest/gtest.h>

#include "model/episode.h"

namespace tcmufs::model {

namespace {

/// A share of what tests/model/run does, always the same one.
constexpr u64 first_seed = 1;
#ifdef __SANITIZE_THREAD__  // slow, and there is one thread only
constexpr u64 disks = 4;
constexpr bool enough_for_everything = false;
#else
constexpr u64 disks = 40;
constexpr bool enough_for_everything = true;
#endif

TEST(Model, RandomCommandsDoWhatTheModelOfADiskDoes) {
  Coverage coverage;
  for (u64 seed = first_seed; seed < first_seed + disks; ++seed) {
    const auto finding = Episode(seed, coverage).run();
    if (finding) {
      FAIL() << finding->text << "tests/model/run --replay " << seed << " " << finding->command + 1
             << " repeats it";
    }
  }
  if (!enough_for_everything) return;
  for (const std::string& what : coverage.missing(1, 0)) ADD_FAILURE() << "was never there: " << what;
}

}  // namespace

}  // namespace tcmufs::model
