#include "ctlfs/claims.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

namespace tcmufs::ctlfs {
namespace {

struct ClaimsTest : ::testing::Test {
  std::mutex mutex;
  Claims claims{mutex};

  void take(Claims::Held& held, const std::vector<std::string>& paths) {
    std::unique_lock lock(mutex);
    held.take(lock, [&] { return paths; });
  }

  /// Whether claiming `wanted` had to wait until the claim of `taken` was given up.
  bool waits(const std::vector<std::string>& taken, const std::vector<std::string>& wanted) {
    std::optional<Claims::Held> first(std::in_place, claims);
    take(*first, taken);
    std::atomic<int> asked = 0;
    std::atomic<bool> got = false;
    std::thread other([&] {
      Claims::Held second(claims);
      std::unique_lock lock(mutex);
      second.take(lock, [&] {
        ++asked;
        return wanted;
      });
      got = true;
    });
    while (asked == 0) std::this_thread::yield();
    { const std::lock_guard asked_once(mutex); }  // it has the claim, or waits, when the mutex is free again
    const bool waited = !got;
    first.reset();
    other.join();
    EXPECT_TRUE(got);
    return waited;
  }
};

TEST_F(ClaimsTest, TheSameNameWaits) {
  EXPECT_TRUE(waits({"a"}, {"a"}));
}
TEST_F(ClaimsTest, WhatIsBelowWaits) {
  EXPECT_TRUE(waits({"web"}, {"web/disk0"}));
}
TEST_F(ClaimsTest, WhatIsAboveWaits) {
  EXPECT_TRUE(waits({"web/disk0"}, {"web", "web2"}));
}
TEST_F(ClaimsTest, OtherNamesDoNotWait) {
  EXPECT_FALSE(waits({"web/disk0", "a"}, {"web/disk1", "ab"}));
}

TEST_F(ClaimsTest, OneOperationMayClaimANameTwice) {
  {
    Claims::Held held(claims);
    take(held, {"a", "a"});
  }
  Claims::Held again(claims);
  take(again, {"a"});  // would wait for ever
}

}  // namespace
}  // namespace tcmufs::ctlfs
