#include "sys/fd.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>

#include "support/temporary_directory.h"
#include "sys/error.h"
#include "sys/integers.h"
#include "sys/mapping.h"
#include "sys/text_file.h"

namespace tcmufs {
namespace {

using test::TemporaryDirectory;

TEST(Fd, IsClosedOnExecAndClosesOnce) {
  Fd file = open_file("/dev/null", O_RDONLY);
  const int number = file.number();
  EXPECT_EQ(::fcntl(number, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  Fd other = std::move(file);
  EXPECT_FALSE(file);  // NOLINT: what a moved-from Fd is, is the question
  EXPECT_EQ(other.number(), number);
  other.reset();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST(Event, IsRaisedAndClearedWithoutBlocking) {
  const Fd event = make_event();
  clear_event(event.number());
  raise_event(event.number());
  raise_event(event.number());
  u64 count = 0;
  EXPECT_EQ(::read(event.number(), &count, sizeof count), 8);
  EXPECT_EQ(count, 2U);
  raise_event(event.number());
  clear_event(event.number());
  EXPECT_EQ(::read(event.number(), &count, sizeof count), -1);
}

TEST(Mapping, SharesTheBytesOfTheFile) {
  const TemporaryDirectory directory;
  replace_file(directory / "memory", directory / "memory.new", std::string(4096, 'x'));
  const Fd file = open_file(directory / "memory", O_RDWR);
  Mapping mapping(file.number(), 4096, directory / "memory");
  mapping.bytes()[0] = std::byte{'y'};
  EXPECT_EQ(read_text(directory / "memory").substr(0, 2), "yx");
  Mapping other = std::move(mapping);
  EXPECT_TRUE(mapping.bytes().empty());  // NOLINT: what a moved-from Mapping is, is the question
  EXPECT_EQ(other.bytes().size(), 4096U);
}

TEST(Mapping, ThatFailsNamesTheFile) {
  try {
    const Mapping mapping(-1, 4096, "/dev/uio9");
    FAIL() << "mapped";
  } catch (const Failure& failure) {
    EXPECT_STREQ(failure.what(), "cannot map '/dev/uio9': Bad file descriptor (EBADF)");
  }
}

}  // namespace
}  // namespace tcmufs
