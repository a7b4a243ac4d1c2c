#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::ElementsAre;
using Files = TreeTest;

TEST_F(Files, KeepWhatIsWritten) {
  const u64 handle = create("a", O_RDWR | O_CREAT);
  write(handle, 0, "hello");
  write(handle, 8, "world");
  EXPECT_EQ(read(handle), std::string("hello\0\0\0world", 13));
  EXPECT_EQ(read(handle, 8), "world");
  EXPECT_EQ(read(handle, 13), "");
}

TEST_F(Files, OpenForReadingCannotBeWritten) {
  backend.have_volume("a", "x");
  const u64 handle = open("a", O_RDONLY);
  EXPECT_EQ(error_of([&] { write(handle, 0, "y"); }), EBADF);
  EXPECT_EQ(error_of([&] { tree().allocate(handle, 0, 0, 4096, kProcess); }), EBADF);
}

TEST_F(Files, ADirectoryHandleIsNoFile) {
  const u64 handle = tree().open_directory(kRoot);
  EXPECT_EQ(error_of([&] { read(handle); }), EISDIR);
  EXPECT_EQ(error_of([&] { write(handle, 0, "x"); }), EBADF);
  const u64 file = create("a");
  EXPECT_EQ(error_of([&] { tree().list(file); }), ENOTDIR);
}

TEST_F(Files, AreSized) {
  const u64 handle = create("a");
  resize("a", 1 << 20, handle);
  EXPECT_EQ(tree().attributes(inode("a")).st_size, 1 << 20);
  EXPECT_THAT(backend.calls("resize"), ElementsAre("resize a 1048576"));
  backend.fail("resize a", EINVAL);
  EXPECT_EQ(error_of([&] { resize("a", 5, handle); }), EINVAL);
}

TEST_F(Files, ADirectoryHasNoSize) {
  make_directory("web");
  EXPECT_EQ(error_of([&] { resize("web", 0, std::nullopt); }), EISDIR);
}

TEST_F(Files, AllocateWithItsMode) {
  const u64 handle = create("a");
  tree().allocate(handle, 0, 0, 8192, kProcess);
  EXPECT_EQ(tree().attributes(inode("a")).st_size, 8192);
  tree().allocate(handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8192, kProcess);
  EXPECT_EQ(tree().attributes(inode("a")).st_blocks, 0);
}

TEST_F(Files, CarryOwnerModeAndTimes) {
  backend.have_volume("a", "x");
  make_directory("web");
  AttributeChange change;
  change.permissions = 0440;
  change.uid = 7;
  change.gid = 8;
  change.modified = timespec{12, 34};
  const struct stat file = tree().change(inode("a"), change, std::nullopt, std::nullopt, kProcess);
  EXPECT_EQ(file.st_mode, static_cast<mode_t>(S_IFREG | 0440));
  EXPECT_EQ(file.st_uid, 7U);
  EXPECT_EQ(file.st_gid, 8U);
  EXPECT_EQ(file.st_mtim.tv_sec, 12);
  EXPECT_EQ(file.st_mtim.tv_nsec, 34);
  EXPECT_EQ(tree().change(inode("web"), change, std::nullopt, std::nullopt, kProcess).st_mode,
            static_cast<mode_t>(S_IFDIR | 0440));
  EXPECT_THAT(backend.calls("change"), ElementsAre("change a", "change_directory web"));
}

TEST_F(Files, TruncatingOpenIsAShrinkToNothing) {
  backend.have_volume("a", "old");
  open("a", O_WRONLY | O_TRUNC);
  EXPECT_THAT(backend.calls(), ElementsAre("resize a 0"));
  EXPECT_EQ(tree().attributes(inode("a")).st_size, 0);
}

TEST_F(Files, ARefusedTruncatingOpenOpensNothing) {
  backend.have_volume("a", "old");
  backend.fail("resize a", EBUSY);
  EXPECT_EQ(error_of([&] { open("a", O_WRONLY | O_TRUNC); }), EBUSY);
  EXPECT_TRUE(backend.calls("attach").empty());
  backend.fail("resize a", 0);
  const u64 handle = open("a", O_WRONLY);  // a writer left behind would keep this one from attaching
  write(handle, 0, "x");
  tree().flush(handle, kProcess);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 3"));
}

TEST_F(Files, AnAttachedVolumeIsReadButNotWritten) {
  backend.have_volume("a", "disk")->attach();
  const u64 handle = open("a", O_RDWR);
  EXPECT_EQ(read(handle), "disk");
  EXPECT_EQ(error_of([&] { write(handle, 0, "x"); }), EBUSY);
  EXPECT_EQ(error_of([&] { tree().allocate(handle, 0, 0, 4096, kProcess); }), EBUSY);
}

TEST_F(Files, TellWhereTheirHolesAre) {
  const u64 handle = create("a");
  resize("a", 65536, handle);
  write(handle, 16384, "x");
  EXPECT_EQ(tree().seek(handle, 0, SEEK_DATA), 16384U);
  EXPECT_EQ(tree().seek(handle, 16384, SEEK_HOLE), 20480U);
  EXPECT_EQ(error_of([&] { tree().seek(handle, 65536, SEEK_HOLE); }), ENXIO);
}

TEST_F(Files, OfTextHaveNoHoles) {
  const u64 handle = open(".ctl/version", O_RDONLY);  // "root version\n"
  EXPECT_EQ(tree().seek(handle, 3, SEEK_DATA), 3U);
  EXPECT_EQ(tree().seek(handle, 3, SEEK_HOLE), 13U);
  EXPECT_EQ(error_of([&] { tree().seek(handle, 13, SEEK_DATA); }), ENXIO);
  EXPECT_EQ(error_of([&] { tree().seek(tree().open_directory(kRoot), 0, SEEK_DATA); }), ENXIO);
}

TEST_F(Files, AreCopiedByTheVolumesAndBecomeADiskAtTheClose) {
  backend.have_volume("a", "contents");
  const u64 from = open("a", O_RDONLY);
  const u64 to = create("b");
  EXPECT_EQ(tree().copy(from, 2, to, 0, 100, kProcess), 6U);
  EXPECT_EQ(tree().copy(from, 8, to, 6, 100, kProcess), 0U);
  tree().flush(to, kProcess);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach b 6"));
  EXPECT_EQ(backend.volume("b")->contents(), "ntents");
}

TEST_F(Files, AreCopiedOnlyToWhatCanBeWritten) {
  backend.have_volume("a", "disk")->attach();
  backend.have_volume("b", "file");
  const u64 disk = open("a", O_RDWR);
  const u64 file = open("b", O_RDONLY);
  EXPECT_EQ(error_of([&] { tree().copy(disk, 0, file, 0, 4, kProcess); }), EBADF);
  EXPECT_EQ(error_of([&] { tree().copy(file, 0, disk, 0, 4, kProcess); }), EBUSY);
}

TEST_F(Files, OfTextAreLeftToTheKernelToCopy) {
  const u64 text = open(".ctl/defaults/block_size", O_RDWR);
  const u64 file = create("a");
  EXPECT_EQ(error_of([&] { tree().copy(text, 0, file, 0, 4, kProcess); }), EOPNOTSUPP);
  EXPECT_EQ(error_of([&] { tree().copy(file, 0, text, 0, 4, kProcess); }), EOPNOTSUPP);
}

TEST_F(Files, SyncReachesTheVolume) {
  const u64 handle = create("a");
  tree().sync(handle);
  backend.fail("sync a", EIO);
  EXPECT_EQ(error_of([&] { tree().sync(handle); }), EIO);
}

}  // namespace tcmufs::ctlfs
