#include "store/copy_range.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_directory.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "sys/text_file.h"

namespace tcmufs::test {
namespace {

using store::copy_range;

constexpr u64 kib = 1024;

/// In memory, where holes are known to the page.
class CopyRange : public testing::Test {
 protected:
  CopyRange()
      : from_(open_file(directory_ / "from", O_RDWR | O_CREAT, 0600)),
        to_(open_file(directory_ / "to", O_RDWR | O_CREAT, 0600)) {}

  static void put(const Fd& file, u64 offset, const std::string& bytes) {
    ASSERT_EQ(::pwrite(file.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  }
  static void lengthen(const Fd& file, u64 size) {
    ASSERT_EQ(::ftruncate(file.number(), static_cast<off_t>(size)), 0);
  }
  static u64 allocated(const Fd& file) {
    struct stat st {};
    ::fstat(file.number(), &st);
    return static_cast<u64>(st.st_blocks) * 512;
  }
  std::string contents(const std::string& name) const { return read_text(directory_ / name); }
  u64 copy(u64 from_offset, u64 to_offset, u64 length) const {
    return copy_range(from_.number(), from_offset, to_.number(), to_offset, length);
  }

  TemporaryDirectory directory_{"/dev/shm"};
  Fd from_;
  Fd to_;
};

TEST_F(CopyRange, TakesTheDataAndLeavesTheHoles) {
  lengthen(from_, 1024 * kib);
  put(from_, 256 * kib, std::string(8 * kib, 'a'));
  put(from_, 512 * kib, std::string(4 * kib, 'b'));
  EXPECT_EQ(copy(0, 0, 2048 * kib), 1024 * kib);
  EXPECT_EQ(contents("to"), contents("from"));
  EXPECT_EQ(allocated(to_), 12 * kib);
}

TEST_F(CopyRange, ReplacesWhatIsThereByHolesToo) {
  put(to_, 0, std::string(64 * kib, 'x'));
  lengthen(from_, 32 * kib);
  put(from_, 8 * kib, std::string(4 * kib, 'a'));
  EXPECT_EQ(copy(0, 16 * kib, 32 * kib), 32 * kib);
  const std::string expected = std::string(16 * kib, 'x') + contents("from") + std::string(16 * kib, 'x');
  EXPECT_EQ(contents("to"), expected);
  EXPECT_EQ(allocated(to_), 36 * kib);
}

TEST_F(CopyRange, NeedsNoAlignment) {
  put(from_, 0, std::string(100, 'a') + std::string(5000, 'b') + std::string(100, 'c'));
  EXPECT_EQ(copy(90, 7, 5020), 5020U);
  EXPECT_EQ(contents("to"),
            std::string(7, '\0') + std::string(10, 'a') + std::string(5000, 'b') + std::string(10, 'c'));
}

TEST_F(CopyRange, EndsWithItsSource) {
  put(from_, 0, "short");
  EXPECT_EQ(copy(0, 0, 100), 5U);
  EXPECT_EQ(copy(5, 5, 100), 0U);
  EXPECT_EQ(copy(50, 5, 100), 0U);
  EXPECT_EQ(contents("to"), "short");
}

TEST_F(CopyRange, TakesNoLongerThan256MiBAtATime) {
  lengthen(from_, 600 * kib * kib);
  EXPECT_EQ(copy(0, 0, 600 * kib * kib), 256 * kib * kib);
  EXPECT_EQ(copy(512 * kib * kib, 512 * kib * kib, 600 * kib * kib), 88 * kib * kib);
  EXPECT_EQ(allocated(to_), 0U);
}

TEST_F(CopyRange, ToAnotherFileSystemGoesThroughMemory) {
  const TemporaryDirectory elsewhere("/var/tmp");
  const Fd to = open_file(elsewhere / "to", O_RDWR | O_CREAT, 0600);
  put(from_, 0, std::string(3 * kib * kib, 'a') + "end");
  EXPECT_EQ(copy_range(from_.number(), 0, to.number(), 0, ~u64{0} >> 2), 3 * kib * kib + 3);
  EXPECT_EQ(read_text(elsewhere / "to"), contents("from"));
}

TEST_F(CopyRange, SaysWhatFails) {
  put(from_, 0, "data");
  const Fd read_only = open_file(directory_ / "to", O_RDONLY);
  try {
    copy_range(from_.number(), 0, read_only.number(), 0, 4);
    FAIL() << "copied to a file that is open for reading";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBADF);
  }
}

}  // namespace
}  // namespace tcmufs::test
