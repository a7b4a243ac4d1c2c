#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::ElementsAre;
using Removing = TreeTest;

TEST_F(Removing, AVolumeIsRemovedFromTheBackendFirst) {
  backend.have_volume("a");
  tree().unlink(kRoot, "a");
  EXPECT_THAT(backend.calls(), ElementsAre("remove a"));
  EXPECT_FALSE(exists("a"));
}

TEST_F(Removing, AUsedVolumeStays) {
  backend.have_volume("a");
  backend.fail("remove a", EBUSY);
  EXPECT_EQ(error_of([&] { tree().unlink(kRoot, "a"); }), EBUSY);
  EXPECT_TRUE(exists("a"));
  EXPECT_TRUE(exists(".ctl/vol/a/state"));
}

TEST_F(Removing, WhatIsNotThereIsNoEntry) {
  EXPECT_EQ(error_of([&] { tree().unlink(kRoot, "a"); }), ENOENT);
  EXPECT_EQ(error_of([&] { tree().remove_directory(kRoot, "a"); }), ENOENT);
}

TEST_F(Removing, KindsAreNotMixedUp) {
  backend.have_volume("a");
  make_directory("web");
  EXPECT_EQ(error_of([&] { tree().unlink(kRoot, "web"); }), EISDIR);
  EXPECT_EQ(error_of([&] { tree().remove_directory(kRoot, "a"); }), ENOTDIR);
}

TEST_F(Removing, OnlyAnEmptyDirectory) {
  const u64 web = make_directory("web");
  tree().create(web, "disk0", O_WRONLY, {0644});
  EXPECT_EQ(error_of([&] { tree().remove_directory(kRoot, "web"); }), ENOTEMPTY);
  tree().unlink(web, "disk0");
  tree().remove_directory(kRoot, "web");
  EXPECT_FALSE(exists("web"));
  EXPECT_FALSE(exists(".ctl/vol/web"));
}

TEST_F(Removing, OursIsRefused) {
  backend.have_volume("a");
  make_directory("web");
  EXPECT_EQ(error_of([&] { tree().unlink(kRoot, "status"); }), EPERM);
  EXPECT_EQ(error_of([&] { tree().unlink(inode("web"), "status"); }), EPERM);
  EXPECT_EQ(error_of([&] { tree().remove_directory(kRoot, ".ctl"); }), EPERM);
  EXPECT_EQ(error_of([&] { tree().remove_directory(kRoot, ".tcmufs"); }), EPERM);
  EXPECT_EQ(error_of([&] { tree().unlink(inode(".ctl"), "version"); }), EPERM);
  EXPECT_EQ(error_of([&] { tree().unlink(inode(".ctl/vol/a"), "size"); }), EPERM);
  EXPECT_TRUE(backend.calls("remove").empty());
}

TEST_F(Removing, AnOpenHandleGoesOnWorking) {
  const u64 handle = create("a", O_RDWR | O_CREAT);
  write(handle, 0, "before");
  const u64 file = inode("a");
  tree().unlink(kRoot, "a");
  write(handle, 6, " after");
  EXPECT_EQ(read(handle), "before after");
  const struct stat attributes = tree().attributes(file);
  EXPECT_EQ(attributes.st_size, 12);
  EXPECT_EQ(attributes.st_nlink, 0U);
}

TEST_F(Removing, AnOpenHandleOfARemovedVolumeNeverAttaches) {
  const u64 handle = create("a");
  write(handle, 0, "x");
  tree().unlink(kRoot, "a");
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_TRUE(backend.calls("attach").empty());
}

TEST_F(Removing, TheVolumeIsDestroyedWithItsLastHandleNotWithTheKernelsLastLookup) {
  const u64 handle = create("a");
  const u64 file = inode("a");
  std::weak_ptr<testing::FakeVolume> volume = backend.volume("a");
  tree().unlink(kRoot, "a");
  EXPECT_FALSE(volume.expired());
  tree().release(handle);
  EXPECT_TRUE(volume.expired());
  EXPECT_EQ(error_of([&] { tree().open(file, O_RDONLY, kProcess); }), ENOENT);
  EXPECT_EQ(error_of([&] { tree().change(file, {}, 5, std::nullopt, kProcess); }), ENOENT);
}

TEST_F(Removing, TheNameCanBeUsedAgainAtOnce) {
  const u64 old = create("a");
  tree().unlink(kRoot, "a");
  const u64 handle = create("a", O_WRONLY | O_CREAT | O_EXCL);
  write(handle, 0, "new");
  tree().release(old);
  tree().flush(handle, kProcess);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 3"));
}

}  // namespace tcmufs::ctlfs
