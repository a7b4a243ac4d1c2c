#include <gtest/gtest.h>

#include "model/episode.h"

namespace tcmufs::model {

namespace {

/// A share of what tests/model/run does, always the same one.
constexpr u64 first_seed = 1;
constexpr u64 disks = 40;

TEST(Model, RandomCommandsDoWhatTheModelOfADiskDoes) {
  Coverage coverage;
  for (u64 seed = first_seed; seed < first_seed + disks; ++seed) {
    const auto finding = Episode(seed, coverage).run();
    if (finding) {
      FAIL() << finding->text << "tests/model/run --replay " << seed << " " << finding->command + 1
             << " repeats it";
    }
  }
  for (const std::string& what : coverage.missing(1, 0)) ADD_FAILURE() << "was never there: " << what;
}

}  // namespace

}  // namespace tcmufs::model
