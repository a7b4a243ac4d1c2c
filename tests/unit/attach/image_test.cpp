#include "backstores/image.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "support/temporary_directory.h"
#include "sys/error.h"

namespace tcmufs::backstores {
namespace {

class ImagesTest : public testing::Test {
 protected:
  int refusal(const std::string& path) {
    return error_of([&] { images_.check(path); });
  }
  int error_of_opening(const std::string& path) {
    return error_of([&] { images_.open(path); });
  }
  template <typename Work>
  static int error_of(Work work) {
    try {
      work();
      return 0;
    } catch (const Failure& failure) {
      return failure.error();
    }
  }

  test::TemporaryDirectory directory_;
  Images images_;
};

TEST_F(ImagesTest, AreFilesThatAreThereOrCanBeMade) {
  std::ofstream(directory_ / "there") << "x";
  EXPECT_EQ(refusal(directory_ / "there"), 0);
  EXPECT_EQ(refusal(directory_ / "new"), 0);
  EXPECT_EQ(refusal("relative"), EINVAL);
  EXPECT_EQ(refusal(""), EINVAL);
  EXPECT_EQ(refusal(directory_.path()), EINVAL);
  EXPECT_EQ(refusal(directory_ / "lost/new"), ENOENT);
  EXPECT_EQ(refusal(directory_ / "there/new"), ENOTDIR);
}

TEST_F(ImagesTest, AreMadeForThoseWhoHaveAsked) {
  EXPECT_EQ(error_of_opening(directory_ / "new"), ENOENT);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "new"));
  EXPECT_EQ(refusal(directory_ / "new"), 0);
  const auto opened = images_.open(directory_ / "new");
  EXPECT_EQ(opened.store->size_bytes(), 0U);
  ASSERT_FALSE(opened.store->resize(4096));
  EXPECT_EQ(opened.store->size_bytes(), 4096U);
}

TEST_F(ImagesTest, AreMadeOncePerQuestion) {
  EXPECT_EQ(refusal(directory_ / "new"), 0);
  EXPECT_EQ(error_of_opening(directory_ / "new"), 0);
  std::filesystem::remove(directory_ / "new");
  EXPECT_EQ(error_of_opening(directory_ / "new"), ENOENT);
}

TEST_F(ImagesTest, ThatOthersHaveAreRefusedInWords) {
  std::ofstream(directory_ / "there") << std::string(4096, 'x');
  const auto served = images_.open(directory_ / "there");
  EXPECT_EQ(refusal(directory_ / "there"), EBUSY);
  EXPECT_EQ(error_of_opening(directory_ / "there"), EBUSY);
}

}  // namespace
}  // namespace tcmufs::backstores
