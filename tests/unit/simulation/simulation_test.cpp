#include <gtest/gtest.h>

#include <iostream>

#include "support/seed.h"
#include "unit/simulation/world.h"

namespace tcmufs::simulation {
namespace {

constexpr unsigned worlds = 2;
constexpr unsigned steps = 150;

/// Whether the store has faults.
class Simulation : public testing::TestWithParam<bool> {};

TEST_P(Simulation, WhereverDaemonsDieEveryCommandIsDoneOnceInEffectAndNothingIsLost) {
  const u64 seed = test::seed();
  std::cout << "TCMUFS_SEED=" << seed << "\n";
  Deaths deaths;
  std::size_t answered = 0;
  for (unsigned i = 0; i < worlds && !HasFailure(); ++i) {
    World world({seed + i, GetParam()}, deaths);
    world.live(steps);
    answered += world.answered();
  }
  ASSERT_FALSE(HasFailure()) << "TCMUFS_SEED=" << seed;
  unsigned all = 0;
  for (const auto& [where, count] : deaths) {
    std::cout << where << ": " << count << " deaths\n";
    all += count;
  }
  EXPECT_GE(all, 1000U);
  for (const char* where : {"taken", "before read", "after read", "before write", "in the middle of write",
                            "after write", "before flush", "after flush", "before discard", "after discard",
                            "mark", "in the middle of response", "response", "tail", "not notified"}) {
    EXPECT_GE(deaths[where], 10U) << where;
  }
  EXPECT_GE(answered, 40U);
}

INSTANTIATE_TEST_SUITE_P(, Simulation, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "StoreWithFaults" : "GoodStore"; });

}  // namespace
}  // namespace tcmufs::simulation
