#include "fuse/mount_table.h"

#include <gtest/gtest.h>

namespace tcmufs::fuse {

TEST(MountTable, TakesPointTypeAndSourceOfEachLine) {
  const auto table = parse_mount_table(
      "36 35 98:0 /mnt1 /mnt/parent rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue\n"
      "90 36 0:45 / /mnt/disks rw,nosuid - fuse.tcmufs /var/lib/tcmufs rw,user_id=0\n");
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table[0].id, 36);
  EXPECT_EQ(table[0].type, "ext3");
  EXPECT_EQ(table[1].id, 90);
  EXPECT_EQ(table[1].point, "/mnt/disks");
  EXPECT_EQ(table[1].type, "fuse.tcmufs");
  EXPECT_EQ(table[1].source, "/var/lib/tcmufs");
}

TEST(MountTable, UnescapesNames) {
  const auto table = parse_mount_table("9 1 0:4 / /a\\040b\\134c\\011 rw - tmpfs x\\012y rw\n");
  ASSERT_EQ(table.size(), 1U);
  EXPECT_EQ(table[0].point, "/a b\\c\t");
  EXPECT_EQ(table[0].source, "x\ny");
}

TEST(MountTable, LeavesOutWhatDoesNotParse) {
  EXPECT_TRUE(parse_mount_table("nonsense\n1 2 0:4 / /x rw\n\n").empty());
}

TEST(MountTable, TheTopmostIsTheLast) {
  const auto table = parse_mount_table("1 0 0:1 / /x rw - tmpfs a rw\n2 1 0:2 / /x rw - tmpfs b rw\n");
  ASSERT_TRUE(topmost(table, "/x"));
  EXPECT_EQ(topmost(table, "/x")->id, 2);
  EXPECT_FALSE(topmost(table, "/y"));
}

TEST(MountTable, TheKernelsHasARoot) {
  EXPECT_TRUE(topmost(mount_table(), "/"));
}

}  // namespace tcmufs::fuse
