#include "sys/deadline.h"

#include <gtest/gtest.h>

namespace tcmufs {
namespace {

using std::chrono::milliseconds;

TEST(PollUntil, AsksAgainUntilTheAnswerIsYes) {
  int asked = 0;
  EXPECT_TRUE(poll_until(Deadline::after(std::chrono::seconds(60)), [&] { return ++asked == 4; }));
  EXPECT_EQ(asked, 4);
}

TEST(PollUntil, GivesUpAtTheDeadlineAndNotBefore) {
  const Deadline deadline = Deadline::after(milliseconds(20));
  EXPECT_FALSE(poll_until(deadline, [] { return false; }));
  EXPECT_TRUE(deadline.passed());
}

TEST(PollUntil, AsksOnceEvenIfTheDeadlineHasPassed) {
  const Deadline deadline = Deadline::after(milliseconds(-1));
  EXPECT_TRUE(poll_until(deadline, [] { return true; }));
  EXPECT_FALSE(poll_until(deadline, [] { return false; }));
}

TEST(Deadline, IsOfAClockThatDoesNotJump) {
  EXPECT_TRUE(Deadline::Clock::is_steady);
}

TEST(Deadline, LeavesNoNegativeTime) {
  EXPECT_EQ(Deadline::after(milliseconds(-100)).left(), Deadline::Clock::duration::zero());
  EXPECT_GT(Deadline::after(std::chrono::seconds(60)).left(), std::chrono::seconds(1));
  EXPECT_FALSE(Deadline::after(std::chrono::seconds(60)).passed());
}

}  // namespace
}  // namespace tcmufs
