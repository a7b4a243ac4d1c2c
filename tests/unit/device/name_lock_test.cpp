#include "device/name_lock.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cerrno>

#include "support/temporary_directory.h"
#include "sys/error.h"

namespace tcmufs::device {
namespace {

int error_of_locking(const std::string& run) {
  try {
    const NameLock lock("key", "/dev/x/y", run);
    return 0;
  } catch (const Failure& failure) {
    return failure.error();
  }
}

TEST(NameLockTest, IsHeldByOneAtATimeAndLeavesNothing) {
  const test::TemporaryDirectory directory;
  const std::string run = directory / "run";
  {
    const NameLock lock("key", "/dev/x/y", run);
    EXPECT_EQ(error_of_locking(run), EBUSY);
    const NameLock other("another", "/dev/x/z", run);
  }
  EXPECT_EQ(error_of_locking(run), 0);
  EXPECT_NE(::access((run + "/key").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace tcmufs::device
