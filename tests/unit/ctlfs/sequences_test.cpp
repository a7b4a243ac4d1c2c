// The requests that real programs send, in their order, and when each makes a disk.

#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Sequences : public TreeTest {
 protected:
  std::vector<std::string> attaches() { return backend.calls("attach"); }
};

TEST_F(Sequences, TouchLeavesAPendingVolume) {
  const u64 handle = create("a");
  tree().flush(handle, kProcess);
  set_times("a");
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_FALSE(attached("a"));
  for (const auto& call : attaches()) EXPECT_EQ(call, "attach a 0");
}

TEST_F(Sequences, Truncate) {
  const u64 handle = create("b");
  resize("b", 1 << 30, handle);
  EXPECT_THAT(attaches(), IsEmpty());
  tree().flush(handle, kProcess);
  EXPECT_THAT(attaches(), ElementsAre("attach b 1073741824"));
  tree().release(handle);
  EXPECT_EQ(attaches().size(), 1U);
}

TEST_F(Sequences, Fallocate) {
  const u64 handle = create("c");
  tree().allocate(handle, 0, 0, 1 << 16, kProcess);
  tree().sync(handle);
  EXPECT_THAT(attaches(), IsEmpty());
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_THAT(attaches(), ElementsAre("attach c 65536"));
}

TEST_F(Sequences, Cp) {
  const u64 handle = create("d", O_WRONLY | O_CREAT | O_EXCL);
  for (u64 offset = 0; offset < 4; ++offset) write(handle, offset * 131072, std::string(131072, 'x'));
  EXPECT_THAT(attaches(), IsEmpty());
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_THAT(attaches(), ElementsAre("attach d 524288"));
}

TEST_F(Sequences, SparseCpSizesAtTheVeryEnd) {
  const u64 handle = create("s", O_WRONLY | O_CREAT | O_EXCL);
  write(handle, 65536, "data");
  tree().allocate(handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 131072, 65536, kProcess);
  resize("s", 1 << 20, handle);
  EXPECT_THAT(attaches(), IsEmpty());
  tree().flush(handle, kProcess);
  EXPECT_THAT(attaches(), ElementsAre("attach s 1048576"));
}

TEST_F(Sequences, ArchivingCpSetsTimesModeAndOwnerBeforeTheFlush) {
  const u64 handle = create("a", O_WRONLY | O_CREAT | O_EXCL);
  write(handle, 0, std::string(4097, 'x'));
  AttributeChange change;
  change.permissions = 0600;
  change.uid = 3;
  change.modified = timespec{99, 0};
  tree().change(inode("a"), change, std::nullopt, handle, kProcess);
  EXPECT_THAT(attaches(), IsEmpty());
  tree().flush(handle, kProcess);
  EXPECT_THAT(attaches(), ElementsAre("attach a 4097"));
  EXPECT_EQ(tree().attributes(inode("a")).st_mtim.tv_sec, 99);
}

TEST_F(Sequences, CpOntoAnExistingDiskDetachesWritesAndAttaches) {
  backend.have_volume("a", "old disk")->attach();
  backend.forget_calls();
  const u64 handle = open("a", O_WRONLY | O_TRUNC);
  EXPECT_FALSE(attached("a"));
  write(handle, 0, "new");
  tree().flush(handle, kProcess);
  EXPECT_THAT(backend.calls(), ElementsAre("resize a 0", "attach a 3"));
}

TEST_F(Sequences, DdAndShellsFlushWhileStillEmpty) {
  const u64 handle = create("a", O_WRONLY | O_CREAT | O_TRUNC);
  tree().flush(handle, kProcess);
  EXPECT_FALSE(attached("a"));
  write(handle, 0, "block 1");
  write(handle, 7, "block 2");
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_TRUE(attached("a"));
  EXPECT_EQ(attaches().back(), "attach a 14");
}

TEST_F(Sequences, DdWithSeekAndNoBlocks) {
  const u64 handle = create("a", O_WRONLY | O_CREAT);
  tree().flush(handle, kProcess);
  resize("a", 1 << 20, handle);
  EXPECT_FALSE(attached("a"));
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_EQ(attaches().back(), "attach a 1048576");
}

TEST_F(Sequences, AChildsFlushComesBeforeTheLastWrite) {
  const u64 handle = create("f", O_WRONLY | O_CREAT | O_TRUNC);
  tree().flush(handle, kProcess);
  write(handle, 0, "a\n");
  write(handle, 2, "b\n", kChild);
  tree().flush(handle, kChild);
  EXPECT_FALSE(attached("f"));
  write(handle, 4, "c\n");
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_EQ(attaches().back(), "attach f 6");
}

TEST_F(Sequences, RsyncWritesATemporaryNameAndRenamesIt) {
  const u64 handle = create(".a.gJ3k2L", O_RDWR | O_CREAT | O_EXCL);
  write(handle, 0, "data");
  tree().flush(handle, kProcess);
  tree().release(handle);
  set_times(".a.gJ3k2L");
  EXPECT_THAT(attaches(), IsEmpty());
  tree().rename(kRoot, ".a.gJ3k2L", kRoot, "a", 0);
  EXPECT_THAT(attaches(), ElementsAre("attach a 4"));
}

TEST_F(Sequences, GrowingAnAttachedDiskByTruncate) {
  backend.have_volume("a", "disk")->attach();
  const u64 handle = create("a", O_WRONLY | O_CREAT);
  resize("a", 8192, handle);
  EXPECT_EQ(error_of([&] { tree().flush(handle, kProcess); }), 0);
  tree().release(handle);
  EXPECT_TRUE(attached("a"));
}

}  // namespace tcmufs::ctlfs
