#include "volume/link_target.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/temporary_directory.h"
#include "sys/error.h"

namespace tcmufs::volume {
namespace {

using testing::HasSubstr;

template <typename Work>
int error_of(Work work) {
  try {
    work();
  } catch (const Failure& failure) {
    return failure.error();
  }
  return 0;
}

class LinkTarget : public testing::Test {
 protected:
  LinkTarget() { std::ofstream(directory_ / "image") << "data"; }

  void link(const std::string& name, const std::string& target) const {
    ASSERT_EQ(::symlink(target.c_str(), (directory_ / name).c_str()), 0);
  }
  static dev_t file_system_of(const std::string& path) {
    struct stat st {};
    EXPECT_EQ(::stat(path.c_str(), &st), 0);
    return st.st_dev;
  }
  static int flags_of(const Fd& file) { return ::fcntl(file.number(), F_GETFL) & O_ACCMODE; }

  test::TemporaryDirectory directory_;
};

TEST_F(LinkTarget, IsAnAbsolutePath) {
  EXPECT_EQ(error_of([] { check_link_text("/img/a:b"); }), 0);
  for (const char* text : {"img", "./img", "../img", "3com:", ""})
    EXPECT_EQ(error_of([&] { check_link_text(text); }), EINVAL) << text;
}

TEST_F(LinkTarget, ThatIsAUriSaysThatNothingServesIt) {
  for (const char* text : {"nbd://host/x", "rbd:pool/image", "nbd+unix:///x"})
    EXPECT_EQ(error_of([&] { check_link_text(text); }), EOPNOTSUPP) << text;
}

TEST_F(LinkTarget, IsFoundThroughLinksAndDots) {
  link("absolute", directory_ / "image");
  link("relative", "absolute");
  for (const char* name : {"image", "absolute", "relative", "./image", "../image"}) {
    const std::string in = std::string(name).starts_with("..") ? "/" + directory_.path() + "/x/" : "";
    if (!in.empty()) {
      ASSERT_EQ(::mkdir((directory_ / "x").c_str(), 0700), 0);
    }
    const Fd file = open_link_target((in.empty() ? directory_.path() + "/" : in) + name, {});
    EXPECT_EQ(flags_of(file), O_RDWR) << name;
  }
}

TEST_F(LinkTarget, ThatIsNoneSaysSo) {
  link("loop", "loop");
  EXPECT_EQ(error_of([&] { open_link_target(directory_ / "loop", {}); }), ELOOP);
  EXPECT_EQ(error_of([&] { open_link_target(directory_ / "none", {}); }), ENOENT);
  EXPECT_EQ(error_of([&] { open_link_target(directory_ / "image/x", {}); }), ENOTDIR);
  EXPECT_EQ(error_of([&] { open_link_target(directory_.path(), {}); }), EINVAL);
  EXPECT_EQ(error_of([&] { open_link_target("/dev/null", {}); }), EINVAL);
}

TEST_F(LinkTarget, IsNotLookedForInAClosedFileSystem) {
  const test::TemporaryDirectory mount("/dev/shm");
  if (file_system_of(mount.path()) == file_system_of(directory_.path()))
    GTEST_SKIP() << "one file system only";
  std::ofstream(mount / "image") << "data";
  link("way", mount / "image");
  const std::vector<dev_t> closed{file_system_of(mount.path())};
  for (const std::string& path : {mount / "image", mount / "none", mount.path(), directory_ / "way"})
    EXPECT_EQ(error_of([&] { open_link_target(path, closed); }), ELOOP) << path;
  EXPECT_EQ(error_of([&] { open_link_target(directory_ / "image", closed); }), 0);
}

TEST_F(LinkTarget, LockedByAnotherIsInUse) {
  const Fd other = open_file(directory_ / "image", O_RDWR);
  const Fd file = open_link_target(directory_ / "image", {});
  EXPECT_EQ(error_of([&] { check_unused(file, "x"); }), 0);
  ASSERT_EQ(::flock(other.number(), LOCK_SH | LOCK_NB), 0);
  EXPECT_EQ(error_of([&] { check_unused(file, "x"); }), EBUSY);
}

TEST_F(LinkTarget, IsTheSameByWhateverName) {
  ASSERT_EQ(::link((directory_ / "image").c_str(), (directory_ / "hard").c_str()), 0);
  std::ofstream(directory_ / "other") << "data";
  const auto status = [&](const std::string& name) {
    struct stat st {};
    EXPECT_EQ(::stat((directory_ / name).c_str(), &st), 0);
    return st;
  };
  EXPECT_TRUE(same_medium(status("image"), status("hard")));
  EXPECT_FALSE(same_medium(status("image"), status("other")));
  const struct stat nothing {};
  EXPECT_FALSE(same_medium(status("image"), nothing));
}

TEST_F(LinkTarget, LiesInTheStoreAtAnyDepth) {
  ASSERT_EQ(::mkdir((directory_ / "store").c_str(), 0700), 0);
  ASSERT_EQ(::mkdir((directory_ / "store/web").c_str(), 0700), 0);
  std::ofstream(directory_ / "store/web/image") << "data";
  const Fd store = open_file(directory_ / "store", O_PATH | O_DIRECTORY);
  EXPECT_TRUE(lies_within(open_link_target(directory_ / "store/web/image", {}), store));
  EXPECT_FALSE(lies_within(open_link_target(directory_ / "image", {}), store));
}

}  // namespace
}  // namespace tcmufs::volume
