#include "sys/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace tcmufs {
namespace {

TEST(Failure, SaysWhatFailedWhyAndWhatToDo) {
  const Failure failure(ENOSPC, "cannot write 'disk'", "Free some space");
  EXPECT_STREQ(failure.what(), "cannot write 'disk': No space left on device (ENOSPC). Free some space");
  EXPECT_EQ(failure.error(), ENOSPC);
  EXPECT_EQ(failure.code(), std::errc::no_space_on_device);
}

TEST(Failure, WithoutAdviceEndsWithTheReason) {
  EXPECT_STREQ(Failure(EIO, "cannot read").what(), "cannot read: Input/output error (EIO)");
}

TEST(Failure, CanBeThrownWithThePresentErrno) {
  try {
    errno = EBUSY;
    throw_errno("cannot open");
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBUSY);
    return;
  }
  FAIL() << "nothing was thrown";
}

TEST(ErrnoName, OfANumberWithoutANameIsTheNumber) {
  EXPECT_EQ(errno_name(EPROTO), "EPROTO");
  EXPECT_EQ(errno_name(999), "errno 999");
}

TEST(Quoted, ShowsControlBytesAndLeavesTheRest) {
  EXPECT_EQ(quoted("a b"), "'a b'");
  EXPECT_EQ(quoted(std::string("a\n\t\x7f\0z", 6)), "'a\\x0a\\x09\\x7f\\x00z'");
  EXPECT_EQ(quoted("\xc3\xa4"), "'\xc3\xa4'") << "UTF-8 is text";
}

}  // namespace
}  // namespace tcmufs
