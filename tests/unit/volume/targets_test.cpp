#include "volume/targets.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <optional>

#include "support/fake_configfs.h"
#include "sys/error.h"

namespace tcmufs::volume {
namespace {

const std::string wwn = "naa.5001405123456789";

class TargetsTest : public testing::Test {
 protected:
  test::FakeConfigfs tree_;
  Targets targets_{tree_};
};

TEST_F(TargetsTest, ATargetLivesFromItsFirstLunToItsLast) {
  const auto before = tree_.snapshot();
  {
    std::optional<Targets::Use> first(targets_.use(wwn, std::nullopt));
    const auto second = targets_.use(wwn, std::nullopt);
    EXPECT_EQ(&first->target(), &second.target());
    first.reset();
    EXPECT_TRUE(tree_.exists("loopback/" + wwn));
  }
  EXPECT_EQ(tree_.snapshot(), before);
}

TEST_F(TargetsTest, GivesTheLunThatIsWantedIfItIsFree) {
  const auto use = targets_.use(wwn, 5);
  EXPECT_EQ(use.lun(), 5U);
}

TEST_F(TargetsTest, GivesTheLowestFreeLunOtherwise) {
  const auto zero = targets_.use(wwn, std::nullopt);
  const auto five = targets_.use(wwn, 5);
  const auto next = targets_.use(wwn, 5);
  EXPECT_EQ(zero.lun(), 0U);
  EXPECT_EQ(next.lun(), 1U);
}

TEST_F(TargetsTest, GivesARequiredLunOrNone) {
  const auto five = targets_.use(wwn, 5, true);
  EXPECT_EQ(five.lun(), 5U);
  try {
    static_cast<void>(targets_.use(wwn, 5, true));
    FAIL() << "given twice";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBUSY);
  }
}

TEST_F(TargetsTest, ALunIsFreeAgainAfterItsUse) {
  const auto keep = targets_.use(wwn, 1);
  { const auto use = targets_.use(wwn, 0); }
  EXPECT_EQ(targets_.use(wwn, 0).lun(), 0U);
}

TEST_F(TargetsTest, NamesOfTwoVolumesDiffer) {
  EXPECT_NE(target_wwn(Uuid::random()), target_wwn(Uuid::random()));
}

}  // namespace
}  // namespace tcmufs::volume
