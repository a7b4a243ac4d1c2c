#include "fuse/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

namespace tcmufs::fuse {

TEST(Process, OfAThreadIsItsThreadGroup) {
  std::thread([] {
    ASSERT_NE(gettid(), getpid());
    EXPECT_EQ(process_of(gettid()), getpid());
    EXPECT_EQ(recent_process_of(gettid()), getpid());
  }).join();
  EXPECT_EQ(process_of(getpid()), getpid());
}

TEST(Process, OfAThreadThatIsGoneIsTheThread) {
  EXPECT_EQ(process_of(1 << 30), 1 << 30);
  EXPECT_EQ(process_of(0), 0);
}

TEST(Process, RecentOnesAreToldApart) {
  EXPECT_EQ(recent_process_of(getpid()), getpid());
  EXPECT_EQ(recent_process_of(1), 1);
  EXPECT_EQ(recent_process_of(getpid()), getpid());
}

}  // namespace tcmufs::fuse
