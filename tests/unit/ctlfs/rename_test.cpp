#include <stdio.h>

#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::ElementsAre;

class Renaming : public TreeTest {
 protected:
  void rename(const std::string& from, const std::string& to, unsigned flags = 0) {
    const auto parts = [&](const std::string& path) {
      const auto slash = path.rfind('/');
      return slash == std::string::npos ? std::pair{kRoot, path}
                                        : std::pair{inode(path.substr(0, slash)), path.substr(slash + 1)};
    };
    const auto [from_parent, from_name] = parts(from);
    const auto [to_parent, to_name] = parts(to);
    tree().rename(from_parent, from_name, to_parent, to_name, flags);
  }
  int rename_error(const std::string& from, const std::string& to, unsigned flags = 0) {
    return error_of([&] { rename(from, to, flags); });
  }
};

TEST_F(Renaming, AVolumeMoves) {
  backend.have_volume("a", "x");
  make_directory("web");
  rename("a", "web/b");
  EXPECT_FALSE(exists("a"));
  EXPECT_TRUE(exists("web/b"));
  EXPECT_FALSE(exists(".ctl/vol/a"));
  EXPECT_TRUE(exists(".ctl/vol/web/b/size"));
  EXPECT_THAT(backend.calls("rename"), ElementsAre("rename a web/b"));
}

// The kernel knows a directory under one name: one that it met again elsewhere it would have to move, which
// it refuses with ESTALE while others rename.
TEST_F(Renaming, WhatBelowCtlGoesAlongIsAnotherDirectoryThanBefore) {
  backend.have_directory("web");
  backend.have_volume("web/disk0", "x");
  const u64 directory = inode(".ctl/vol/web");
  const u64 first = inode(".ctl/vol/web/disk0");
  rename("web", "www");
  const u64 moved = inode(".ctl/vol/www");
  EXPECT_NE(moved, directory);
  const u64 volume = inode(".ctl/vol/www/disk0");
  EXPECT_NE(volume, first);
  rename("www/disk0", "db0");
  EXPECT_EQ(inode(".ctl/vol/www"), moved);
  // Who has opened or entered it goes on.
  EXPECT_TRUE(tree().lookup(volume, "size"));
  EXPECT_TRUE(S_ISDIR(tree().attributes(volume).st_mode));
  tree().forget(volume, 1);
  EXPECT_EQ(error_of([&] { tree().attributes(volume); }), ESTALE);
  EXPECT_TRUE(exists(".ctl/vol/db0/size"));
}

TEST_F(Renaming, ADirectoryMovesWithWhatIsInIt) {
  backend.have_directory("web");
  backend.have_volume("web/disk0", "x");
  rename("web", "www");
  EXPECT_TRUE(exists("www/disk0"));
  tree().unlink(inode("www"), "disk0");
  EXPECT_THAT(backend.calls(), ElementsAre("rename web www", "remove www/disk0"));
}

TEST_F(Renaming, ReplacingAVolumeIsLeftToTheBackend) {
  backend.have_volume("a", "new");
  backend.have_volume("b", "old");
  rename("a", "b");
  EXPECT_THAT(backend.calls(), ElementsAre("rename a b"));
  EXPECT_EQ(tree().attributes(inode("b")).st_size, 3);
  EXPECT_FALSE(exists("a"));
}

TEST_F(Renaming, AUsedTargetLeavesBothNames) {
  backend.have_volume("a", "new");
  backend.have_volume("b", "older");
  backend.fail("rename a", EBUSY);
  EXPECT_EQ(rename_error("a", "b"), EBUSY);
  EXPECT_EQ(tree().attributes(inode("a")).st_size, 3);
  EXPECT_EQ(tree().attributes(inode("b")).st_size, 5);
}

TEST_F(Renaming, NoReplaceFailsIfTheTargetExists) {
  backend.have_volume("a");
  backend.have_volume("b");
  EXPECT_EQ(rename_error("a", "b", RENAME_NOREPLACE), EEXIST);
  EXPECT_EQ(rename_error("a", "a", RENAME_NOREPLACE), EEXIST);
  EXPECT_EQ(rename_error("a", "c", RENAME_NOREPLACE), 0);
}

TEST_F(Renaming, ExchangeIsInvalid) {
  backend.have_volume("a");
  backend.have_volume("b");
  EXPECT_EQ(rename_error("a", "b", RENAME_EXCHANGE), EINVAL);
  EXPECT_EQ(rename_error("a", "b", RENAME_WHITEOUT), EINVAL);
}

TEST_F(Renaming, KindsAreNotMixedUp) {
  backend.have_volume("a");
  make_directory("web");
  EXPECT_EQ(rename_error("a", "web"), EISDIR);
  EXPECT_EQ(rename_error("web", "a"), ENOTDIR);
}

TEST_F(Renaming, ADirectoryReplacesOnlyAnEmptyOne) {
  backend.have_directory("new");
  backend.have_directory("empty");
  backend.have_directory("full");
  backend.have_volume("new/a");
  backend.have_volume("full/b");
  EXPECT_EQ(rename_error("new", "full"), ENOTEMPTY);
  rename("new", "empty");
  EXPECT_TRUE(exists("empty/a"));
  EXPECT_FALSE(exists("new"));
  EXPECT_THAT(backend.calls(), ElementsAre("remove_directory empty", "rename new empty"));
}

TEST_F(Renaming, OntoItselfDoesNothing) {
  backend.have_volume("a");
  backend.have_directory("web");
  backend.have_volume("web/b");
  rename("a", "a");
  rename("web", "web");
  EXPECT_TRUE(backend.calls().empty());
  EXPECT_TRUE(exists("web/b"));
}

TEST_F(Renaming, ADirectoryDoesNotMoveIntoItself) {
  backend.have_directory("web");
  backend.have_directory("web/blue");
  EXPECT_EQ(rename_error("web", "web/x"), EINVAL);
  EXPECT_EQ(rename_error("web", "web/blue/x"), EINVAL);
  EXPECT_EQ(rename_error("web", "web2"), 0);
}

TEST_F(Renaming, WhatIsNotThereIsNoEntry) {
  EXPECT_EQ(rename_error("a", "b"), ENOENT);
}

TEST_F(Renaming, OursIsRefused) {
  backend.have_volume("a");
  for (const char* name : {".ctl", ".tcmufs", "status", ".ctl/x", ".ctl/vol/x", ".ctl/vol/a/size"}) {
    EXPECT_EQ(rename_error("a", name), EPERM) << name;
    EXPECT_EQ(rename_error(name, "b"), EPERM) << name;
  }
}

TEST_F(Renaming, FromATemporaryNameToAnOrdinaryOneAttaches) {
  backend.have_volume(".a.XyZ123", "x");
  rename(".a.XyZ123", "a");
  EXPECT_THAT(backend.calls(), ElementsAre("rename .a.XyZ123 a", "attach a 1"));
}

// What is said of a file that has been closed may come after its new name.
TEST_F(Renaming, AttachesOnceIfTheReleaseComesLate) {
  const u64 handle = create(".a.XyZ123");
  write(handle, 0, "x");
  tree().flush(handle, kProcess);
  tree().closing(handle);
  rename(".a.XyZ123", "a");
  tree().release(handle);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 1"));
}

TEST_F(Renaming, BetweenNamesOfTheSameSortDoesNotAttach) {
  backend.have_volume("a", "x");
  backend.have_volume("t.tmp", "x");
  rename("a", "b");
  rename("b", "b~");
  rename("t.tmp", "t.part");
  EXPECT_TRUE(backend.calls("attach").empty());
}

TEST_F(Renaming, IsDoneEvenIfTheAttachFails) {
  backend.have_volume("a.part", "x");
  backend.fail("attach a", ENODEV);
  EXPECT_EQ(rename_error("a.part", "a"), 0);
  EXPECT_TRUE(exists("a"));
}

TEST_F(Renaming, WhileItIsStillWrittenLeavesTheAttachToTheClose) {
  const u64 handle = create("a.part");
  write(handle, 0, "x");
  rename("a.part", "a");
  EXPECT_TRUE(backend.calls("attach").empty());
  write(handle, 1, "y");
  tree().flush(handle, kProcess);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 2"));
}

TEST_F(Renaming, AReplacedVolumesHandleGoesOnButNeverAttaches) {
  backend.have_volume("new", "n");
  const u64 handle = create("old", O_RDWR | O_CREAT);
  write(handle, 0, "o");
  rename("new", "old");
  write(handle, 1, "p");
  EXPECT_EQ(read(handle), "op");
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_TRUE(backend.calls("attach").empty());
}

}  // namespace tcmufs::ctlfs
