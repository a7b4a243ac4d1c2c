#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::ElementsAre;
using Listing = TreeTest;

TEST_F(Listing, WhatTheStoreHasIsThereFromTheStart) {
  backend.have_directory("web");
  backend.have_directory("web/blue");
  backend.have_volume("db0", "x");
  backend.have_volume("web/blue/disk0", "y");
  EXPECT_TRUE(exists("db0"));
  EXPECT_TRUE(exists("web/blue/disk0"));
  EXPECT_FALSE(exists("web/db0"));
}

TEST_F(Listing, RootListsStatusAndVolumesButNotCtl) {
  backend.have_directory("web");
  backend.have_volume("db0");
  EXPECT_THAT(names_in(""), ElementsAre(".", "..", "status", "db0", "web"));
  EXPECT_TRUE(exists(".ctl"));
}

TEST_F(Listing, StatusOfASubdirectoryIsFoundButNotListed) {
  backend.have_directory("web");
  backend.have_volume("web/disk0");
  EXPECT_THAT(names_in("web"), ElementsAre(".", "..", "disk0"));
  EXPECT_TRUE(exists("web/status"));
  EXPECT_FALSE(exists("web/.ctl"));
}

TEST_F(Listing, CtlListsItsFilesAndTheMirror) {
  EXPECT_THAT(names_in(".ctl"),
              ElementsAre(".", "..", "status", "status.json", "version", "features", "last_error",
                          "error_log", "metrics", "doctor", "events", "ctl", "defaults", "vol"));
}

TEST_F(Listing, TheMirrorHasTheSamePaths) {
  backend.have_directory("web");
  backend.have_volume("web/disk0");
  EXPECT_THAT(names_in(".ctl/vol"), ElementsAre(".", "..", "web"));
  EXPECT_THAT(names_in(".ctl/vol/web"), ElementsAre(".", "..", "disk0"));
  EXPECT_EQ(names_in(".ctl/vol/web/disk0"), listed(volume_control_files()));
  EXPECT_THAT(names_in(".ctl/vol/web/disk0"),
              ::testing::IsSupersetOf({"status", "size", "uuid", "block_size"}));
}

TEST_F(Listing, TheMirrorOfAVolumeGoesWithIt) {
  backend.have_volume("db0");
  const u64 mirror = inode(".ctl/vol/db0");
  const u64 size = inode(".ctl/vol/db0/size");
  tree().unlink(kRoot, "db0");
  EXPECT_FALSE(exists(".ctl/vol/db0"));
  EXPECT_EQ(error_of([&] { tree().attributes(mirror); }), ENOENT);
  EXPECT_EQ(error_of([&] { tree().open(size, O_RDONLY, kProcess); }), ENOENT);
  EXPECT_EQ(error_of([&] { tree().open_directory(mirror); }), ENOENT);
  EXPECT_EQ(tree().lookup(mirror, "size"), std::nullopt);
}

TEST_F(Listing, ADirectoryHandleKeepsWhatOpendirSaw) {
  backend.have_volume("a");
  const u64 handle = tree().open_directory(kRoot);
  tree().unlink(kRoot, "a");
  EXPECT_EQ(tree().list(handle)->back().name, "a");
  tree().release(handle);
  EXPECT_THAT(names_in(""), ElementsAre(".", "..", "status"));
}

TEST_F(Listing, TypesAndInodesAgreeWithLookup) {
  backend.have_directory("web");
  backend.have_volume("db0");
  for (const std::string directory : {"", ".ctl", ".ctl/vol", ".ctl/vol/db0"}) {
    const u64 handle = tree().open_directory(inode(directory));
    for (const Listed& listed : *tree().list(handle)) {
      if (listed.name.starts_with('.')) continue;
      const auto entry = tree().lookup(inode(directory), listed.name);
      ASSERT_TRUE(entry) << listed.name;
      EXPECT_EQ(entry->inode, listed.inode) << listed.name;
      EXPECT_EQ(entry->attributes.st_mode & S_IFMT, listed.type) << listed.name;
      EXPECT_EQ(entry->attributes.st_ino, listed.inode) << listed.name;
    }
    tree().release(handle);
  }
}

TEST_F(Listing, AVolumeIsARegularFileOfItsCapacity) {
  backend.have_volume("db0", std::string(5000, 'x'));
  const struct stat file = tree().attributes(inode("db0"));
  EXPECT_EQ(file.st_mode, static_cast<mode_t>(S_IFREG | 0600));
  EXPECT_EQ(file.st_size, 5000);
  EXPECT_EQ(file.st_nlink, 1U);
  EXPECT_EQ(file.st_blksize, 4096);
  EXPECT_EQ(file.st_blocks, 16);
}

TEST_F(Listing, ADirectoryHasTwoLinks) {
  const struct stat root = tree().attributes(kRoot);
  EXPECT_EQ(root.st_mode, static_cast<mode_t>(S_IFDIR | 0755));
  EXPECT_EQ(root.st_nlink, 2U);
}

TEST_F(Listing, InodesStayAcrossARename) {
  backend.have_volume("a");
  const u64 before = inode("a");
  tree().rename(kRoot, "a", kRoot, "b", 0);
  EXPECT_EQ(inode("b"), before);
}

TEST_F(Listing, InodesAreNotUsedAgain) {
  create("a");
  const u64 first = inode("a");
  tree().unlink(kRoot, "a");
  create("a");
  EXPECT_NE(inode("a"), first);
}

TEST_F(Listing, AForgottenRemovedInodeIsStale) {
  backend.have_volume("a");
  const u64 removed = inode("a");  // looked up once
  tree().unlink(kRoot, "a");
  EXPECT_EQ(error_of([&] { tree().attributes(removed); }), ENOENT);
  tree().forget(removed, 1);
  EXPECT_EQ(error_of([&] { tree().attributes(removed); }), ESTALE);
}

TEST_F(Listing, LookupsOfTheMirrorCountAsWell) {
  backend.have_volume("a");
  const u64 file = inode(".ctl/vol/a/size");  // two lookups: of the directory and of the file
  const u64 volume = inode("a");
  tree().unlink(kRoot, "a");
  tree().forget(volume, 1);
  tree().forget(file, 1);
  EXPECT_EQ(error_of([&] { tree().attributes(volume); }), ENOENT);
  tree().forget(file, 1);
  EXPECT_EQ(error_of([&] { tree().attributes(volume); }), ESTALE);
}

TEST_F(Listing, ForgettingALivingVolumeKeepsIt) {
  backend.have_volume("a");
  const u64 volume = inode("a");
  tree().forget(volume, 1);
  EXPECT_EQ(error_of([&] { tree().attributes(volume); }), 0);
}

TEST_F(Listing, LookupInAFileIsNotADirectory) {
  backend.have_volume("a");
  EXPECT_EQ(error_of([&] { tree().lookup(inode("a"), "b"); }), ENOTDIR);
  EXPECT_EQ(error_of([&] { tree().open_directory(inode("a")); }), ENOTDIR);
}

TEST_F(Listing, SpaceIsTheBackends) {
  EXPECT_EQ(tree().space().f_bavail, 700U);
}

}  // namespace tcmufs::ctlfs
