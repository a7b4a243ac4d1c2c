#include <gmock/gmock.h>

#include "sys/error.h"
#include "unit/lio/volume_objects.h"

namespace tcmufs::test {
namespace {

using ::testing::IsEmpty;

constexpr std::size_t most_steps = 200;

// Calls `at_step` for 0, 1, 2 ... until it says that the step lay behind the end; the number of steps there
// were.
template <typename AtStep>
std::size_t for_every_step(AtStep at_step) {
  std::size_t step = 0;
  while (step < most_steps && at_step(step)) ++step;
  return step;
}

TEST(CreationSteps, AfterAFailureAtAnyStepTheTreeIsAsItWas) {
  const std::size_t steps = for_every_step([](std::size_t step) {
    FakeConfigfs tree;
    add_foreign_objects(tree);
    const auto before = tree.snapshot();
    tree.fail_at(step, ENOMEM);
    try {
      VolumeObjects volume(tree);
      volume.abandon();
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.error(), ENOMEM) << "step " << step;
    }
    if (!tree.struck()) return false;
    EXPECT_EQ(tree.snapshot(), before) << "step " << step << ": " << tree.operations().back();
    EXPECT_THAT(tree.cleanup_failures(), IsEmpty());
    return true;
  });
  EXPECT_GT(steps, 15U);
}

TEST(CreationSteps, EveryFailureNamesTheOperationThatFailed) {
  for_every_step([](std::size_t step) {
    FakeConfigfs tree;
    const std::size_t earlier = tree.operations().size();
    tree.fail_at(step, ENOMEM);
    try {
      VolumeObjects volume(tree);
      volume.abandon();
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), ::testing::HasSubstr(tree.operations()[earlier + step]));
    }
    return tree.struck();
  });
}

TEST(CreationSteps, AfterAFailureAtAnyStepASecondAttemptSucceedsAndLeavesNothing) {
  for_every_step([](std::size_t step) {
    FakeConfigfs tree;
    const auto before = tree.snapshot();
    tree.fail_at(step, EIO);
    EXPECT_NO_THROW({
      try {
        VolumeObjects volume(tree);
        volume.abandon();
      } catch (const Failure&) {
        VolumeObjects again(tree);
      }
    });
    if (!tree.struck()) return false;
    EXPECT_EQ(tree.snapshot(), before) << "step " << step;
    return true;
  });
}

// The daemon is killed at every step; the next one makes the volume and removes it.
TEST(CreationSteps, AfterAKillAtAnyStepTheNextRunTakesOverOrRemakesAndLeavesNothing) {
  const std::size_t steps = for_every_step([](std::size_t step) {
    FakeConfigfs tree;
    add_foreign_objects(tree);
    const auto before = tree.snapshot();
    tree.kill_at(step);
    try {
      VolumeObjects volume(tree);
      volume.abandon();
    } catch (const Failure&) {
      EXPECT_TRUE(tree.struck());
    }
    tree.revive();
    {
      VolumeObjects next(tree);
      const auto now = tree.snapshot();
      const std::string& device = next.backstore.path();
      EXPECT_EQ(now.at(device + "/enable"), "1") << "step " << step;
      EXPECT_EQ(now.at(device + "/attrib/cmd_time_out"), "0") << "step " << step;
      EXPECT_EQ(now.at(device + "/attrib/nl_reply_supported"), "-1") << "step " << step;
      EXPECT_EQ(now.at(next.target.path() + "/nexus").substr(0, 4), "naa.") << "step " << step;
      EXPECT_EQ(now.at(next.target.path() + "/lun/lun_0/" + volume_uuid), device) << "step " << step;
      next.remove();
    }
    EXPECT_EQ(tree.snapshot(), before) << "step " << step;
    EXPECT_THAT(tree.cleanup_failures(), IsEmpty());
    return tree.struck();
  });
  EXPECT_GT(steps, 15U);
}

TEST(CreationSteps, AfterAKillAtAnyStepOfTheRemovalTheNextRunLeavesNothing) {
  const std::size_t steps = for_every_step([](std::size_t step) {
    FakeConfigfs tree;
    add_foreign_objects(tree);
    const auto before = tree.snapshot();
    {
      VolumeObjects volume(tree);
      tree.kill_at(step);
      try {
        volume.remove();
      } catch (const Failure&) {
        EXPECT_TRUE(tree.struck());
      }
      volume.abandon();
    }
    tree.revive();
    VolumeObjects(tree).remove();
    EXPECT_EQ(tree.snapshot(), before) << "step " << step;
    return tree.struck();
  });
  EXPECT_GE(steps, 8U);
}

TEST(CreationSteps, WhatCannotBeUndoneIsReportedWithItsPath) {
  FakeConfigfs tree;
  std::string path;
  {
    const VolumeObjects volume(tree);
    path = volume.backstore.path();
    tree.fail_on("rmdir " + path, EBUSY);
  }
  EXPECT_THAT(tree.cleanup_failures(), ::testing::Contains(::testing::HasSubstr(path)));
  EXPECT_TRUE(tree.exists(path));
}

TEST(CreationSteps, ObjectsOfOthersAreNeitherChangedNorRemoved) {
  FakeConfigfs tree;
  add_foreign_objects(tree);
  const auto before = tree.snapshot();
  {
    const VolumeObjects volume(tree);
    const auto during = tree.snapshot();
    for (const auto& [path, value] : before) EXPECT_EQ(during.at(path), value) << path;
  }
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(CreationSteps, TheDestructorsRemoveInTheOrderOfTheKernel) {
  FakeConfigfs tree;
  std::string device;
  {
    const VolumeObjects volume(tree);
    device = volume.backstore.path();
  }
  std::vector<std::string> changes;
  for (const std::string& operation : tree.operations()) {
    const bool reading = operation.starts_with("read") || operation.starts_with("list");
    if (!reading) changes.push_back(operation);
  }
  const std::string naa = "loopback/" + volume_wwn;
  const std::vector<std::string> expected{
      "unlink " + naa + "/tpgt_1/lun/lun_0/" + volume_uuid,
      "rmdir " + naa + "/tpgt_1/lun/lun_0",
      "write " + naa + "/tpgt_1/nexus NULL",
      "rmdir " + naa + "/tpgt_1",
      "rmdir " + naa,
      "rmdir " + device,
      "rmdir " + device.substr(0, device.rfind('/')),
  };
  ASSERT_GE(changes.size(), expected.size());
  const auto tail = static_cast<std::ptrdiff_t>(expected.size());
  EXPECT_EQ(std::vector<std::string>(changes.end() - tail, changes.end()), expected);
}

}  // namespace
}  // namespace tcmufs::test
