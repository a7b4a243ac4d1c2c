#include "lio/node_owner.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cerrno>

#include "fake_places.h"
#include "sys/text_file.h"

namespace tcmufs::lio {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr uid_t alice = 1001;
constexpr gid_t staff = 2002;
constexpr gid_t disk_group = 6;
const std::string wwn = "naa.600140512345678901234567890123ab";

struct Seen {
  uid_t uid;
  gid_t gid;
  mode_t mode;
  bool operator==(const Seen&) const = default;
};
void PrintTo(const Seen& seen, std::ostream* to) {
  *to << seen.uid << ":" << seen.gid << " " << std::oct << seen.mode;
}

/// Nodes as udev has them: root:disk, 0660.
class NodeOwnerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
    fake_.add_disk(1 << 20);
    test::FakePlaces::write(fake_.device() + "/scsi_generic/sg4/dev", "21:4\n");
    for (const std::string& uevent : {block_event(), generic_event()}) test::FakePlaces::write(uevent, "");
    disk_.sg = fake_.dev() + "/sg4";
    if (::mknod(disk_.node.c_str(), S_IFBLK, disk_.number) != 0) GTEST_SKIP() << "no device nodes here";
    ASSERT_EQ(::mknod(disk_.sg.c_str(), S_IFCHR, makedev(21, 4)), 0);
    for (const std::string& node : {disk_.node, disk_.sg}) set(node, {0, disk_group, 0660});
  }

  static void set(const std::string& node, const Seen& to) {
    ASSERT_EQ(::chown(node.c_str(), to.uid, to.gid), 0);
    ASSERT_EQ(::chmod(node.c_str(), to.mode), 0);
  }
  static Seen seen(const std::string& node) {
    struct stat st {};
    EXPECT_EQ(::lstat(node.c_str(), &st), 0);
    return {st.st_uid, st.st_gid, st.st_mode & 07777};
  }
  Seen nodes() const {
    EXPECT_EQ(seen(disk_.node), seen(disk_.sg));
    return seen(disk_.node);
  }
  std::string told() const { return path_exists(file()) ? read_text(file()) : "nothing"; }
  std::string file() const { return places_.run + "/" + wwn; }
  std::string block_event() const { return fake_.block() + "/uevent"; }
  std::string generic_event() const { return fake_.sysfs() + "/class/scsi_generic/sg4/uevent"; }
  std::string events() const { return read_text(block_event()) + read_text(generic_event()); }

  test::FakePlaces fake_;
  ScsiDisk disk_ = fake_.disk();
  NodeOwner::Places places_{.run = fake_.root() + "/run/nodes", .sysfs = fake_.sysfs(), .proc = fake_.proc()};
};

TEST_F(NodeOwnerTest, TheNodesAreTheFilesOwnersWithoutAnythingForOthers) {
  NodeOwner owner(wwn, {alice, staff, 0646}, places_);
  EXPECT_EQ(told(), "TCMUFS_OWNER=1001\nTCMUFS_GROUP=2002\nTCMUFS_MODE=0640\nTCMUFS_FOREIGN=1\n")
      << "before there is a disk";
  EXPECT_EQ(nodes(), (Seen{0, disk_group, 0660}));
  owner.give(disk_, false);
  EXPECT_EQ(nodes(), (Seen{alice, staff, 0640}));
  EXPECT_EQ(events(), "") << "its first event has seen the file already";
}

TEST_F(NodeOwnerTest, WhatOthersMayWriteToTheFileUdevDoesNotBelieve) {
  NodeOwner owner(wwn, {0, 0, 0666}, places_);
  EXPECT_EQ(told(), "TCMUFS_OWNER=0\nTCMUFS_MODE=0660\nTCMUFS_FOREIGN=1\n");
  owner.give(disk_, false);
  EXPECT_EQ(nodes(), (Seen{0, disk_group, 0660}));
  owner.change({0, staff, 0642}, disk_);
  EXPECT_THAT(told(), HasSubstr("FOREIGN=1"));
  owner.change({0, 0, 0664}, disk_);
  EXPECT_EQ(told(), "TCMUFS_OWNER=0\n") << "nobody but root any more";
}

TEST_F(NodeOwnerTest, TheGroupOfDisksStaysWhereTheFilesIsRoots) {
  NodeOwner owner(wwn, {alice, 0, 0660}, places_);
  EXPECT_THAT(told(), Not(HasSubstr("GROUP")));
  owner.give(disk_, false);
  EXPECT_EQ(nodes(), (Seen{alice, disk_group, 0660}));
}

TEST_F(NodeOwnerTest, OfRootsFileTheNodesStayTheSystems) {
  {
    NodeOwner owner(wwn, {0, 0, 0644}, places_);
    owner.give(disk_, true);
    EXPECT_EQ(nodes(), (Seen{0, disk_group, 0660}));
    EXPECT_EQ(told(), "nothing");
  }
  NodeOwner owner(wwn, {0, staff, 0644}, places_);
  owner.give(disk_, false);
  EXPECT_EQ(nodes(), (Seen{0, staff, 0640}));
  EXPECT_THAT(told(), Not(HasSubstr("FOREIGN"))) << "nobody but root writes to it";
}

TEST_F(NodeOwnerTest, AChangeHoldsAtOnceAndUdevLooksAgain) {
  NodeOwner owner(wwn, {0, 0, 0644}, places_);
  owner.give(disk_, false);
  owner.change({0, staff, 0660}, disk_);
  EXPECT_EQ(nodes(), (Seen{0, staff, 0660}));
  EXPECT_THAT(told(), HasSubstr("FOREIGN=1"));
  EXPECT_EQ(events(), "addadd");
  owner.change({alice, staff, 0600}, disk_);
  EXPECT_EQ(nodes(), (Seen{alice, staff, 0600}));
  EXPECT_THAT(told(), AllOf(HasSubstr("OWNER=1001"), HasSubstr("MODE=0600")));
}

TEST_F(NodeOwnerTest, WhatIsRootsAgainIsAsTheKernelMakesItAndUdevIsToldSo) {
  NodeOwner owner(wwn, {alice, staff, 0660}, places_);
  owner.give(disk_, false);
  owner.change({0, 0, 0660}, disk_);
  EXPECT_EQ(nodes(), (Seen{0, 0, 0600}));
  EXPECT_EQ(told(), "TCMUFS_OWNER=0\n") << "udev alone would leave the owner as it is";
  EXPECT_EQ(events(), "addadd");
}

TEST_F(NodeOwnerTest, AGroupThatTheFileHasNoLongerIsTakenAway) {
  NodeOwner owner(wwn, {alice, staff, 0660}, places_);
  owner.give(disk_, false);
  owner.change({alice, 0, 0660}, disk_);
  EXPECT_EQ(nodes(), (Seen{alice, 0, 0660}));
}

TEST_F(NodeOwnerTest, ADiskInUseIsGivenAwayWithoutAnEvent) {
  NodeOwner owner(wwn, {0, 0, 0644}, places_);
  owner.give(disk_, false);
  test::FakePlaces::write(fake_.proc() + "/self/mountinfo", "22 1 8:112 / /srv rw - ext4 /dev/sdx rw\n");
  owner.change({alice, staff, 0660}, disk_);
  EXPECT_EQ(nodes(), (Seen{alice, staff, 0660}));
  EXPECT_EQ(events(), "");
}

TEST_F(NodeOwnerTest, WhatADaemonThatDiedHasToldIsTakenBackWithTheOwner) {
  test::FakePlaces::write(file(), "TCMUFS_OWNER=1001\nTCMUFS_GROUP=2002\nTCMUFS_MODE=0660\n");
  for (const std::string& node : {disk_.node, disk_.sg}) set(node, {alice, staff, 0660});
  NodeOwner owner(wwn, {0, 0, 0600}, places_);
  owner.give(disk_, true);
  EXPECT_EQ(nodes(), (Seen{0, 0, 0600}));
}

TEST_F(NodeOwnerTest, WhatADaemonThatDiedHasTakenBackInWordsOnlyIsTakenBack) {
  test::FakePlaces::write(file(), "TCMUFS_OWNER=0\n");
  for (const std::string& node : {disk_.node, disk_.sg}) set(node, {alice, staff, 0660});
  NodeOwner owner(wwn, {0, 0, 0600}, places_);
  owner.give(disk_, true);
  EXPECT_EQ(nodes(), (Seen{0, staff, 0600}));
  EXPECT_EQ(events(), "addadd") << "which gives it the group of disks";
}

TEST_F(NodeOwnerTest, UdevIsToldNothingAnyMoreWhenTheDiskIsGone) {
  {
    const NodeOwner owner(wwn, {alice, staff, 0660}, places_);
    EXPECT_NE(told(), "nothing");
  }
  EXPECT_EQ(told(), "nothing");
  test::FakePlaces::write(file(), "left");
  forget_node_owner(wwn, places_.run);
  EXPECT_EQ(told(), "nothing");
}

TEST_F(NodeOwnerTest, UdevIsToldOnAboutADiskThatStaysWithoutItsDaemon) {
  {
    NodeOwner owner(wwn, {alice, staff, 0660}, places_);
    owner.abandon();
  }
  EXPECT_THAT(told(), HasSubstr("OWNER=1001"));
}

TEST_F(NodeOwnerTest, AnotherDeviceOfThatNameIsLeftAlone) {
  NodeOwner owner(wwn, {alice, staff, 0660}, places_);
  ScsiDisk disk = disk_;
  disk.number = makedev(8, 96);
  EXPECT_THROW(owner.give(disk, false), Failure);
  EXPECT_EQ(seen(disk_.node), (Seen{0, disk_group, 0660}));

  test::FakePlaces::write(fake_.device() + "/scsi_generic/sg4/dev", "21:5\n");
  EXPECT_THROW(owner.give(disk_, false), Failure);
  EXPECT_EQ(seen(disk_.sg), (Seen{0, disk_group, 0660}));

  std::filesystem::remove_all(fake_.device());
  set(disk_.node, {0, disk_group, 0660});
  EXPECT_THROW(owner.give(disk_, false), Failure) << "the number may be another disk's by now too";
  EXPECT_EQ(seen(disk_.node), (Seen{0, disk_group, 0660}));
}

TEST_F(NodeOwnerTest, ALinkInPlaceOfANodeIsNotFollowed) {
  const std::string elsewhere = fake_.root() + "/elsewhere";
  std::filesystem::rename(disk_.node, elsewhere);
  std::filesystem::create_symlink(elsewhere, disk_.node);
  NodeOwner owner(wwn, {alice, staff, 0660}, places_);
  EXPECT_THROW(owner.give(disk_, false), Failure);
  EXPECT_EQ(seen(elsewhere), (Seen{0, disk_group, 0660}));
}

TEST_F(NodeOwnerTest, AChangeThatFailsLeavesUdevWithWhatItWasTold) {
  NodeOwner owner(wwn, {alice, staff, 0660}, places_);
  owner.give(disk_, false);
  const std::string before = told();
  std::filesystem::remove_all(fake_.device());
  EXPECT_THROW(owner.change({alice + 1, staff, 0660}, disk_), Failure);
  EXPECT_EQ(told(), before);
  EXPECT_EQ(nodes(), (Seen{alice, staff, 0660}));
}

TEST_F(NodeOwnerTest, AChangeThatFailsHalfwayIsTakenBack) {
  NodeOwner owner(wwn, {alice, staff, 0660}, places_);
  owner.give(disk_, false);
  const std::string before = told();
  test::FakePlaces::write(fake_.device() + "/scsi_generic/sg4/dev", "21:5\n");
  EXPECT_THROW(owner.change({alice + 1, staff + 1, 0600}, disk_), Failure);
  EXPECT_EQ(told(), before);
  EXPECT_EQ(nodes(), (Seen{alice, staff, 0660}));
}

}  // namespace
}  // namespace tcmufs::lio
