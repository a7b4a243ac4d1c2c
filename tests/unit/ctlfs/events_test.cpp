// Files that go on, and those that take verbs.

#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::ElementsAre;

class Events : public TreeTest {
 protected:
  void SetUp() override {
    backend.have_directory("web");
    backend.have_volume("web/disk0", "x");
    backend.have_volume("db0", "x");
  }
};

TEST_F(Events, OfTheMountAreThoseOfAllOfAVolumeItsOwn) {
  const u64 all = open(".ctl/events", O_RDONLY);
  const u64 own = open(".ctl/vol/web/disk0/events", O_RDONLY);
  backend.happened("db0", "ready");
  backend.happened("web/disk0", "ready");
  EXPECT_EQ(read(all), "db0 ready\nweb/disk0 ready\n");
  EXPECT_EQ(read(own), "web/disk0 ready\n");
}

TEST_F(Events, AreReadOnWhateverTheOffset) {
  const u64 handle = open(".ctl/events", O_RDONLY);
  EXPECT_EQ(error_of([&] { read(handle); }), EAGAIN);
  backend.happened("-", "started");
  EXPECT_EQ(read(handle, 4711), "- started\n");
  EXPECT_EQ(error_of([&] { read(handle, 0); }), EAGAIN);
}

TEST_F(Events, EndWithTheVolumeWhoseNameTheyFollow) {
  const u64 handle = open(".ctl/vol/db0/events", O_RDONLY);
  tree().rename(kRoot, "db0", kRoot, "db1", 0);
  backend.happened("db1", "renamed");
  EXPECT_EQ(read(handle), "db1 renamed\n");
  tree().unlink(kRoot, "db1");
  EXPECT_EQ(read(handle), "");
}

TEST_F(Events, AreStreamsAndNothingElseIs) {
  const u64 events = open(".ctl/events", O_RDONLY);
  const u64 text = open(".ctl/error_log", O_RDONLY);
  const u64 volume = open("db0", O_RDONLY);
  EXPECT_NE(tree().stream(events), nullptr);
  EXPECT_EQ(tree().stream(text), nullptr);
  EXPECT_EQ(tree().stream(volume), nullptr);
  tree().release(events);
  EXPECT_EQ(tree().stream(events), nullptr);
}

TEST_F(Events, AreReadOnlyFiles) {
  EXPECT_EQ(tree().attributes(inode(".ctl/events")).st_mode, static_cast<mode_t>(S_IFREG | 0444));
  EXPECT_EQ(error_of([&] { open(".ctl/events", O_RDWR); }), EACCES);
  EXPECT_EQ(error_of([&] { open(".ctl/vol/db0/events", O_WRONLY); }), EACCES);
  const u64 handle = open(".ctl/events", O_RDONLY);
  EXPECT_EQ(error_of([&] { write(handle, 0, "x"); }), EBADF);
  EXPECT_EQ(error_of([&] { tree().list(handle); }), ENOTDIR);
}

TEST_F(Events, OfAVolumeThatIsGoneCannotBeOpened) {
  const u64 events = inode(".ctl/vol/db0/events");
  tree().unlink(kRoot, "db0");
  EXPECT_EQ(error_of([&] { tree().open(events, O_RDONLY, kProcess); }), ENOENT);
}

TEST_F(Events, VerbsGoToTheVolumeOrToAll) {
  write(open(".ctl/vol/web/disk0/ctl", O_WRONLY), 0, "detach\n");
  write(open(".ctl/ctl", O_WRONLY), 0, "attach\n");
  EXPECT_THAT(backend.calls("set "), ElementsAre("set web/disk0/ctl detach", "set ctl attach"));
  EXPECT_EQ(tree().attributes(inode(".ctl/ctl")).st_mode, static_cast<mode_t>(S_IFREG | 0644));
}

}  // namespace tcmufs::ctlfs
