#include "volume/space_wait.h"

#include <gmock/gmock.h>

#include <vector>

namespace tcmufs::volume {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Change = SpaceWait::Change;

constexpr u64 ms = 1'000'000;
constexpr u64 s = 1000 * ms;

class SpaceWaitTest : public testing::Test {
 protected:
  SpaceWaitTest() {
    wait_.tell([this](Change change) { changes_.push_back(change); });
    wait_.set_limit(60);
  }
  /// Lets time go by, and refuses what is tried at once; returns when it was tried.
  std::vector<u64> refuse_until(u64 end_ns) {
    std::vector<u64> tries;
    for (; now_ < end_ns; now_ += 10 * ms) {
      const bool was_closed = wait_.closed();
      wait_.look(now_);
      if (!was_closed || wait_.closed()) continue;
      tries.push_back(now_);
      if (!wait_.refused(now_)) break;
    }
    return tries;
  }

  SpaceWait wait_;
  std::vector<Change> changes_;
  u64 now_ = 100 * s;
};

TEST_F(SpaceWaitTest, WithoutALimitWritesFailAtOnceAndNothingIsSaid) {
  wait_.set_limit(0);
  EXPECT_FALSE(wait_.refused(now_));
  EXPECT_FALSE(wait_.paused());
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(SpaceWaitTest, ARefusedWriteIsHeldAndTheNextAreNotTried) {
  EXPECT_FALSE(wait_.closed());
  EXPECT_TRUE(wait_.refused(now_));
  EXPECT_TRUE(wait_.refused(now_)) << "of the same try";
  EXPECT_TRUE(wait_.closed());
  EXPECT_THAT(changes_, ElementsAre(Change::paused));
}

TEST_F(SpaceWaitTest, TriesComeLessAndLessOftenButOnceASecond) {
  const u64 begin = now_;
  ASSERT_TRUE(wait_.refused(now_));
  const auto tries = refuse_until(begin + 5 * s);
  ASSERT_GE(tries.size(), 7U);
  EXPECT_EQ(tries[0] - begin, 50 * ms);
  EXPECT_EQ(tries[1] - tries[0], 100 * ms);
  for (std::size_t i = 1; i < tries.size(); ++i) EXPECT_LE(tries[i] - tries[i - 1], 1010 * ms);
  EXPECT_GE(tries.back() - tries[tries.size() - 2], 1000 * ms);
  EXPECT_THAT(changes_, ElementsAre(Change::paused));
}

TEST_F(SpaceWaitTest, ItIsOverWhenATryHasNotBeenRefusedForAWhile) {
  ASSERT_TRUE(wait_.refused(now_));
  wait_.look(now_ += 50 * ms);
  EXPECT_FALSE(wait_.closed());
  EXPECT_TRUE(wait_.paused());
  wait_.look(now_ += 199 * ms);
  EXPECT_TRUE(wait_.paused());
  wait_.look(now_ += 1 * ms);
  EXPECT_FALSE(wait_.paused());
  EXPECT_THAT(changes_, ElementsAre(Change::paused, Change::goes_on));
}

TEST_F(SpaceWaitTest, AfterTheLimitTheyFailAndSoDoTheNextUntilAllHasBeenQuiet) {
  const u64 begin = now_;
  ASSERT_TRUE(wait_.refused(now_));
  refuse_until(begin + 100 * s);
  EXPECT_GE(now_ - begin, 60 * s);
  EXPECT_LE(now_ - begin, 62 * s);
  EXPECT_FALSE(wait_.paused());
  EXPECT_FALSE(wait_.closed());
  EXPECT_THAT(changes_, ElementsAre(Change::paused, Change::given_up));
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(wait_.refused(now_ += 9 * s)) << "one of many";
  EXPECT_THAT(changes_, ElementsAre(Change::paused, Change::given_up));
  EXPECT_TRUE(wait_.refused(now_ += 11 * s));
  EXPECT_THAT(changes_, ElementsAre(Change::paused, Change::given_up, Change::paused));
}

TEST_F(SpaceWaitTest, OneThatBeginsAgainAtOnceIsTheSameToTheLimit) {
  const u64 begin = now_;
  ASSERT_TRUE(wait_.refused(now_));
  refuse_until(begin + 50 * s);
  ASSERT_TRUE(wait_.paused());
  // What needs no room goes well for a moment, and the others are refused again.
  while (wait_.paused()) wait_.look(now_ += 10 * ms);
  ASSERT_TRUE(wait_.refused(now_ += 100 * ms));
  refuse_until(begin + 100 * s);
  EXPECT_LE(now_ - begin, 62 * s);
  EXPECT_EQ(changes_.back(), Change::given_up);
}

TEST_F(SpaceWaitTest, ALaterOneHasTheWholeLimit) {
  ASSERT_TRUE(wait_.refused(now_));
  while (wait_.paused()) wait_.look(now_ += 10 * ms);
  now_ += 70 * s;
  EXPECT_TRUE(wait_.refused(now_));
}

TEST_F(SpaceWaitTest, ALimitOfNothingEndsWhatIsUnderWayAtTheNextTry) {
  ASSERT_TRUE(wait_.refused(now_));
  wait_.set_limit(0);
  wait_.look(now_ += 50 * ms);
  EXPECT_FALSE(wait_.refused(now_));
  EXPECT_THAT(changes_, ElementsAre(Change::paused, Change::given_up));
}

TEST_F(SpaceWaitTest, TheEndOfTheDiskIsTheEndOfThePause) {
  ASSERT_TRUE(wait_.refused(now_));
  wait_.stop();
  EXPECT_FALSE(wait_.paused());
  EXPECT_THAT(changes_, ElementsAre(Change::paused, Change::goes_on));
  wait_.stop();
  EXPECT_EQ(changes_.size(), 2U);
}

}  // namespace
}  // namespace tcmufs::volume
