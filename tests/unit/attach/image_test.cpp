#include "backstores/image.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>

#include "support/temporary_directory.h"
#include "sys/error.h"

namespace tcmufs::backstores {
namespace {

int refusal(const std::string& path) {
  try {
    check_image(path);
    return 0;
  } catch (const Failure& failure) {
    return failure.error();
  }
}

TEST(Image, IsAFileThatIsThereOrCanBeMade) {
  const test::TemporaryDirectory directory;
  std::ofstream(directory / "there") << "x";
  EXPECT_EQ(refusal(directory / "there"), 0);
  EXPECT_EQ(refusal(directory / "new"), 0);
  EXPECT_EQ(refusal("relative"), EINVAL);
  EXPECT_EQ(refusal(""), EINVAL);
  EXPECT_EQ(refusal(directory.path()), EINVAL);
  EXPECT_EQ(refusal(directory / "lost/new"), ENOENT);
  EXPECT_EQ(refusal(directory / "there/new"), ENOTDIR);
}

TEST(Image, ThatIsNotThereIsMade) {
  const test::TemporaryDirectory directory;
  const auto opened = open_image(directory / "new");
  EXPECT_EQ(opened.store->size_bytes(), 0U);
  ASSERT_FALSE(opened.store->resize(4096));
  EXPECT_EQ(opened.store->size_bytes(), 4096U);
}

}  // namespace
}  // namespace tcmufs::backstores
