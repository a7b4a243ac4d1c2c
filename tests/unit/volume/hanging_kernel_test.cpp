#include <gmock/gmock.h>

#include <functional>
#include <optional>

#include "sys/error.h"
#include "unit/lio/volume_objects.h"
#include "volume/workers.h"

namespace tcmufs::test {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr std::size_t most_steps = 200;

/// A volume beside the one that hangs: made and removed, as if nothing were the matter.
void another_comes_and_goes(FakeConfigfs& tree) {
  const std::string uuid = "cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee";
  lio::Backstore backstore(tree, volume_options(uuid));
  lio::LoopbackTarget target(tree, "naa.5001405000000002");
  lio::Lun lun(target, 0, backstore);
  EXPECT_EQ(tree.read(backstore.path() + "/enable"), "1\n");
  lun.remove();
  target.remove();
  backstore.remove();
}

/// `work` hangs in the kernel, at step 0, 1, 2 ... until the step lies behind its end: whoever asked for it
/// is told within the limit, others are served, and when the kernel goes on, so does the work. `after` is
/// called after each. How many steps there were.
std::size_t hangs_at_every_step(const std::function<void(FakeConfigfs&)>& before,
                                const std::function<void(FakeConfigfs&)>& work,
                                const std::function<void(FakeConfigfs&)>& after) {
  for (std::size_t step = 0; step < most_steps; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    FakeConfigfs tree;
    volume::Workers workers;
    before(tree);
    tree.hang_at(step);
    int error = 0;
    try {
      workers.run("working", 30ms, [&] { work(tree); });
    } catch (const Failure& failure) {
      error = failure.error();
    }
    const bool hung = tree.struck();
    if (hung) {
      EXPECT_EQ(error, ETIMEDOUT);
      EXPECT_FALSE(workers.wait_idle(Deadline::after(1ms)));
      another_comes_and_goes(tree);
    }
    tree.revive();
    EXPECT_TRUE(workers.wait_idle(Deadline::after(60s)));
    after(tree);
    if (!hung) return step;
  }
  return most_steps;
}

TEST(HangingKernel, WhereverACreationHangsOthersAreServedAndItIsDoneInTheEnd) {
  std::optional<VolumeObjects> volume;
  std::map<std::string, std::string> empty;
  const std::size_t steps = hangs_at_every_step([&](FakeConfigfs& tree) { empty = tree.snapshot(); },
                                                [&](FakeConfigfs& tree) { volume.emplace(tree); },
                                                [&](FakeConfigfs& tree) {
                                                  ASSERT_TRUE(volume.has_value());
                                                  volume->remove();
                                                  volume.reset();
                                                  EXPECT_EQ(tree.snapshot(), empty);
                                                });
  EXPECT_GT(steps, 15U);
  EXPECT_LT(steps, most_steps);
}

TEST(HangingKernel, WhereverARemovalHangsOthersAreServedAndItIsDoneInTheEnd) {
  std::optional<VolumeObjects> volume;
  std::map<std::string, std::string> empty;
  const std::size_t steps = hangs_at_every_step(
      [&](FakeConfigfs& tree) {
        empty = tree.snapshot();
        volume.emplace(tree);
      },
      [&](FakeConfigfs&) { volume->remove(); },
      [&](FakeConfigfs& tree) {
        volume.reset();
        EXPECT_EQ(tree.snapshot(), empty);
      });
  EXPECT_GT(steps, 3U);
  EXPECT_LT(steps, most_steps);
}

}  // namespace
}  // namespace tcmufs::test
