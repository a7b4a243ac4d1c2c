#include "sys/user_mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "support/temporary_directory.h"
#include "sys/text_file.h"

namespace tcmufs {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A table of the test's own.
class UserMounts : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("LIBMOUNT_UTAB", table.c_str(), 1); }
  void TearDown() override { ::unsetenv("LIBMOUNT_UTAB"); }
  void write(const std::string& text) { std::ofstream(table) << text; }

  const test::TemporaryDirectory directory;
  const std::string table = directory.path() + "/utab";
  const std::string others = "SRC=/dev/sda1 TARGET=/mnt/a ROOT=/ OPTS=user=me\n";
};

TEST_F(UserMounts, AreEnteredOnceHoweverOftenTheDaemonIsReplaced) {
  enter_user_mount("/mnt/a b");
  const std::string entry = read_text(table);
  EXPECT_THAT(entry, StartsWith("SRC=fuse.tcmufs TARGET=/mnt/a\\040b ROOT=/ OPTS=x-"));
  enter_user_mount("/mnt/a b");
  EXPECT_EQ(read_text(table), entry);
}

TEST_F(UserMounts, AreRemovedAndThoseOfOthersAreNot) {
  write(others);
  remove_user_mount("/mnt/a");
  EXPECT_EQ(read_text(table), others);
  enter_user_mount("/mnt/a");
  EXPECT_THAT(read_text(table), HasSubstr("SRC=fuse.tcmufs"));
  remove_user_mount("/mnt/a");
  EXPECT_EQ(read_text(table), others);
}

TEST_F(UserMounts, TakeThoseAlongThatMountHasMadeOfTheSameMount) {
  enter_user_mount("/mnt/a");
  enter_user_mount("/mnt/ab");
  const std::string rest = read_text(table).substr(read_text(table).find('\n') + 1);
  write(read_text(table) + "SRC=/store TARGET=/mnt/a ROOT=/ OPTS=_netdev\n");
  remove_user_mount("/mnt/a");
  EXPECT_EQ(read_text(table), rest);
}

TEST_F(UserMounts, AreNoneWhereTheyCannotBeWritten) {
  ::setenv("LIBMOUNT_UTAB", "/proc/there/is/none", 1);
  enter_user_mount("/mnt/a");
  remove_user_mount("/mnt/a");
  EXPECT_FALSE(path_exists(table));
}

}  // namespace
}  // namespace tcmufs
