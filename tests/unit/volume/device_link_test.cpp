#include "volume/device_link.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "support/temporary_directory.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::volume {
namespace {

std::string target_of(const std::string& link) {
  char target[256] = {};
  return ::readlink(link.c_str(), target, sizeof target - 1) < 0 ? "" : target;
}

class DeviceLinkTest : public testing::Test {
 protected:
  test::TemporaryDirectory dev_;
  std::string root_ = dev_ / "tcmufs";
};

TEST_F(DeviceLinkTest, PointsToTheNodeAndLeavesNothing) {
  {
    const DeviceLink link(root_, "web/disk0", "/dev/sda");
    EXPECT_EQ(target_of(root_ + "/web/disk0"), "/dev/sda");
  }
  EXPECT_FALSE(path_exists(root_));
}

TEST_F(DeviceLinkTest, KeepsADirectoryThatOthersUse) {
  const DeviceLink stays(root_, "web/disk1", "/dev/sdb");
  { const DeviceLink link(root_, "web/disk0", "/dev/sda"); }
  EXPECT_EQ(target_of(root_ + "/web/disk1"), "/dev/sdb");
}

TEST_F(DeviceLinkTest, MovesToAnotherName) {
  DeviceLink link(root_, "a/old", "/dev/sda");
  link.move("b/new");
  EXPECT_EQ(target_of(root_ + "/b/new"), "/dev/sda");
  EXPECT_FALSE(path_exists(root_ + "/a"));
}

TEST_F(DeviceLinkTest, ReplacesALinkThatPointsNowhere) {
  {
    const DeviceLink first(root_, "keep", "/dev/null");
    ASSERT_EQ(::symlink("/dev/nowhere", (root_ + "/v").c_str()), 0);
  }
  const DeviceLink link(root_, "v", "/dev/null");
  EXPECT_EQ(target_of(root_ + "/v"), "/dev/null");
}

TEST_F(DeviceLinkTest, LeavesALinkThatLeadsElsewhereWhereverThatIs) {
  const DeviceLink keep(root_, "keep", "/dev/null");
  ASSERT_EQ(::symlink("/mnt/not-mounted/image", (root_ / std::filesystem::path("v")).c_str()), 0);
  EXPECT_THROW(DeviceLink(root_, "v", "/dev/null"), Failure);
  EXPECT_FALSE(remove_dangling_link(root_, "v"));
  EXPECT_EQ(target_of(root_ + "/v"), "/mnt/not-mounted/image");
  ::unlink((root_ + "/v").c_str());
}

TEST_F(DeviceLinkTest, RefusesToTakeALinkAwayFromAnotherDisk) {
  const DeviceLink theirs(root_, "v", "/dev/null");
  EXPECT_THROW(DeviceLink(root_, "v", "/dev/zero"), Failure);
  EXPECT_EQ(target_of(root_ + "/v"), "/dev/null");
}

TEST_F(DeviceLinkTest, RefusesToReplaceAFile) {
  const DeviceLink keep(root_, "keep", "/dev/null");
  std::ofstream(root_ + "/v") << "mine";
  EXPECT_THROW(DeviceLink(root_, "v", "/dev/null"), Failure);
  EXPECT_EQ(read_text(root_ + "/v"), "mine");
}

TEST_F(DeviceLinkTest, DoesNotRemoveALinkThatIsAnothersByNow) {
  std::optional<DeviceLink> link(std::in_place, root_, "v", "/dev/null");
  ::unlink((root_ + "/v").c_str());
  ASSERT_EQ(::symlink("/dev/zero", (root_ + "/v").c_str()), 0);
  link.reset();
  EXPECT_EQ(target_of(root_ + "/v"), "/dev/zero");
}

TEST_F(DeviceLinkTest, DanglingLinksGoAndAllElseStays) {
  const DeviceLink keep(root_, "web/keep", "/dev/null");
  const DeviceLink other(root_, "gone/deep/v", "/dev/null");
  std::ofstream(root_ + "/web/file") << "mine";
  for (const char* name : {"/v", "/web/w", "/gone/deep/v"}) {
    ::unlink((root_ + name).c_str());
    ASSERT_EQ(::symlink("/dev/nowhere", (root_ + name).c_str()), 0);
  }
  remove_dangling_links(root_);
  EXPECT_EQ(target_of(root_ + "/web/keep"), "/dev/null");
  EXPECT_EQ(read_text(root_ + "/web/file"), "mine");
  EXPECT_EQ(target_of(root_ + "/v"), "");
  EXPECT_EQ(target_of(root_ + "/web/w"), "");
  EXPECT_FALSE(path_exists(root_ + "/gone"));
}

TEST_F(DeviceLinkTest, ManyComeAndGoAtOnce) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 100; ++i) {
        const std::string name = "web/disk" + std::to_string(thread);
        const DeviceLink link(root_, name, "/dev/null");
        ASSERT_EQ(target_of(root_ + "/" + name), "/dev/null");
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(path_exists(root_));
}

// A daemon that dies before it has renamed its link: the node is there, and so the link does not dangle.
TEST_F(DeviceLinkTest, OnesThatNeverGotTheirNamesAreRemoved) {
  const std::string dead = root_ + ".new-999999999";
  const std::string living = root_ + ".new-" + std::to_string(::getpid());
  const std::string file = root_ + ".new-999999998";
  ASSERT_EQ(::symlink("/dev/null", dead.c_str()), 0);
  ASSERT_EQ(::symlink("/dev/null", living.c_str()), 0);
  std::ofstream{file};
  remove_dangling_links(root_);
  EXPECT_EQ(target_of(dead), "");
  EXPECT_EQ(target_of(living), "/dev/null");
  EXPECT_TRUE(path_exists(file));
}

class LinkedDisk : public DeviceLinkTest {
 protected:
  LinkedDisk() { add("sda", "naa.1", "2048"); }
  void add(const std::string& name, const std::string& wwid, const std::string& sectors) const {
    std::filesystem::create_directories(sysfs_ / ("block/" + name + "/device"));
    std::ofstream(sysfs_ / ("block/" + name + "/device/wwid")) << wwid << "\n";
    std::ofstream(sysfs_ / ("block/" + name + "/size")) << sectors << "\n";
  }
  std::optional<u64> size(const std::string& wwn) const {
    return linked_disk_size(root_, "web/disk0", wwn, sysfs_.path());
  }
  test::TemporaryDirectory sysfs_;
};

TEST_F(LinkedDisk, HasTheSizeThatTheKernelSays) {
  const DeviceLink link(root_, "web/disk0", "/dev/sda");
  EXPECT_EQ(size("naa.1"), 2048U * 512);
}

TEST_F(LinkedDisk, IsNoneThatIsAnothers) {
  const DeviceLink link(root_, "web/disk0", "/dev/sda");
  EXPECT_EQ(size("naa.2"), std::nullopt);
}

TEST_F(LinkedDisk, IsNoneWithoutALinkOrADisk) {
  EXPECT_EQ(size("naa.1"), std::nullopt);
  const DeviceLink link(root_, "web/disk0", "/dev/sdb");
  EXPECT_EQ(size("naa.1"), std::nullopt);
}

}  // namespace
}  // namespace tcmufs::volume
