#include "mountctl/mount_point.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <boost/filesystem.hpp>

#include "fake_mount.h"
#include "refused.h"
#include "sys/error.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<MountPoint> mounts_in(const std::string& mountinfo) {
  const FileTree directory;
  directory.write("mountinfo", mountinfo);
  return find_mounts(directory.path() + "/mountinfo");
}

std::vector<std::string> paths_in(const std::string& mountinfo) {
  std::vector<std::string> paths;
  for (const auto& mount : mounts_in(mountinfo)) paths.push_back(mount.path);
  return paths;
}

constexpr const char* root = "23 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n";
constexpr const char* disks =
    "40 23 0:52 / /mnt/disks rw,nosuid shared:9 - fuse.tcmufs /var/lib/tcmufs rw,user_id=0\n";
constexpr const char* sshfs = "41 23 0:53 / /mnt/far rw - fuse.sshfs host: rw,user_id=0\n";

TEST(FindMounts, KnowsTcmufsByItsType) {
  EXPECT_THAT(paths_in(std::string(root) + disks + sshfs), ElementsAre("/mnt/disks"));
}

TEST(FindMounts, NoneIsAnEmptyList) {
  EXPECT_TRUE(paths_in(std::string(root) + sshfs).empty());
}

TEST(FindMounts, DecodesSpacesInThePath) {
  EXPECT_THAT(paths_in("40 23 0:52 / /mnt/my\\040disks rw - fuse.tcmufs /s rw\n"),
              ElementsAre("/mnt/my disks"));
}

TEST(FindMounts, WhatIsMountedOverHidesIt) {
  EXPECT_TRUE(paths_in(std::string(disks) + "50 40 0:60 / /mnt/disks rw - tmpfs tmpfs rw\n").empty());
  EXPECT_EQ(paths_in(std::string(disks) + "50 40 0:60 / /mnt/disks rw - fuse.tcmufs /s2 rw\n").size(), 1u);
}

TEST(FindMounts, BindMountOfAPartIsNoMount) {
  EXPECT_THAT(paths_in(std::string(disks) + "50 23 0:52 /web /srv/web rw - fuse.tcmufs /var/lib/tcmufs rw\n"),
              ElementsAre("/mnt/disks"));
}

TEST(FindMounts, FileThatIsNotThereIsNamed) {
  try {
    find_mounts("/nowhere/mountinfo");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("'/nowhere/mountinfo'"));
  }
}

TEST(FindMounts, ReadsTheRealMountinfo) {
  EXPECT_NO_THROW(find_mounts());
}

TEST(ChooseMount, TheOnlyOneNeedsNoName) {
  EXPECT_EQ(choose_mount("", {{"/a", 1}}), "/a");
}

TEST(ChooseMount, NoneSaysHowToMountOne) {
  EXPECT_THAT(refused(ExitStatus::failed, [] { (void)choose_mount("", {}); }),
              AllOf(StartsWith("no tcmufs is mounted"), HasSubstr("mountctl mount STORE MNT")));
  EXPECT_THAT(refused(ExitStatus::failed, [] { (void)choose_mount("/tmp", {}); }),
              HasSubstr("'/tmp' is no mount of tcmufs. None is mounted; 'mountctl mount STORE MNT'"));
}

TEST(ChooseMount, SeveralAreAllNamed) {
  EXPECT_THAT(refused(ExitStatus::failed,
                      [] {
                        (void)choose_mount("", {{"/a", 1}, {"/b", 2}});
                      }),
              AllOf(HasSubstr("'/a', '/b'"), HasSubstr("--mount")));
}

TEST(ChooseMount, TwoMountsOfOneDaemonAreOne) {
  EXPECT_EQ(choose_mount("", {{"/a", 1}, {"/b", 1}}), "/a");
}

TEST(ChooseMount, AnyWayToWriteThePathWillDo) {
  const FileTree directory;
  const std::string mount = boost::filesystem::canonical(directory.path()).string() + "/disks";
  directory.make_directory("disks");
  directory.link(mount, "link");
  const std::vector<MountPoint> mounts{{"/other", 1}, {mount, 2}};
  EXPECT_EQ(choose_mount(mount, mounts), mount);
  EXPECT_EQ(choose_mount(mount + "//", mounts), mount);
  EXPECT_EQ(choose_mount(mount + "/.", mounts), mount);
  EXPECT_EQ(choose_mount(
                directory.path() + "/../" + directory.path().substr(directory.path().rfind('/')) + "/disks",
                mounts),
            mount);
  EXPECT_EQ(choose_mount(directory.path() + "/link", mounts), mount);
}

TEST(ChooseMount, DeadMountThatCannotBeLookedAtIsFoundByItsPath) {
  const FileTree directory;
  const std::string mount = boost::filesystem::canonical(directory.path()).string() + "/dead";
  EXPECT_EQ(choose_mount(mount, {{mount, 1}}), mount);  // nothing is there, as for lstat() on a dead mount
}

TEST(ChooseMount, AnotherDirectoryIsRefusedWithTheCandidates) {
  EXPECT_THAT(refused(ExitStatus::failed,
                      [] {
                        (void)choose_mount("/tmp", {{"/a", 1}});
                      }),
              AllOf(HasSubstr("'/tmp' is no mount"), HasSubstr("'/a'")));
}

}  // namespace
}  // namespace tcmufs::mountctl
