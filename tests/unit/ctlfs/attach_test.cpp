#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// When a close() makes a disk.
using Attaching = TreeTest;

TEST_F(Attaching, AtTheFlushOfTheProcessThatOpened) {
  const u64 handle = create("a");
  write(handle, 0, "x");
  tree().flush(handle, kProcess);
  EXPECT_TRUE(attached("a"));
}

TEST_F(Attaching, NotAtTheFlushOfAnotherProcess) {
  const u64 handle = create("a");
  write(handle, 0, "x");
  tree().flush(handle, kChild);
  EXPECT_THAT(backend.calls("attach"), IsEmpty());
}

TEST_F(Attaching, ItsFailureIsTheErrorOfClose) {
  const u64 handle = create("a");
  write(handle, 0, "x");
  for (const int error : {ENODEV, EIO, ETIMEDOUT}) {
    backend.fail("attach a", error);
    EXPECT_EQ(error_of([&] { tree().flush(handle, kProcess); }), error);
  }
}

TEST_F(Attaching, NotWhileAnotherWriterIsOpen) {
  const u64 first = create("a");
  const u64 second = open("a", O_RDWR, kChild);
  write(first, 0, "x");
  tree().flush(first, kProcess);
  EXPECT_THAT(backend.calls("attach"), IsEmpty());
  tree().release(first);
  EXPECT_THAT(backend.calls("attach"), IsEmpty());
  tree().flush(second, kChild);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 1"));
}

TEST_F(Attaching, ReadersDoNotMatter) {
  const u64 writer = create("a");
  const u64 reader = open("a", O_RDONLY, kChild);
  write(writer, 0, "x");
  tree().flush(reader, kChild);
  tree().release(reader);
  EXPECT_THAT(backend.calls("attach"), IsEmpty());
  open("a", O_RDONLY, kChild);
  tree().flush(writer, kProcess);
  EXPECT_TRUE(attached("a"));
}

TEST_F(Attaching, OpeningForReadingNeverDoes) {
  backend.have_volume("a", "x");
  const u64 handle = open("a", O_RDONLY);
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_THAT(backend.calls("attach"), IsEmpty());
}

TEST_F(Attaching, InTheBackgroundWhenTheLastWriterGoesWithoutAFlush) {
  const u64 first = create("a");
  const u64 second = open("a", O_WRONLY);
  write(first, 0, "x");
  tree().release(first);
  EXPECT_THAT(backend.calls("attach"), IsEmpty());
  tree().release(second);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach_later a 1"));
}

TEST_F(Attaching, InTheBackgroundIfTheFlushCameFromAnotherProcess) {
  const u64 handle = create("a");
  write(handle, 0, "x");
  tree().flush(handle, kChild);
  tree().release(handle);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach_later a 1"));
}

TEST_F(Attaching, IsNotTriedAgainAtReleaseAfterTheFlushTried) {
  const u64 handle = create("a");
  write(handle, 0, "x");
  backend.fail("attach a", ENODEV);
  EXPECT_EQ(error_of([&] { tree().flush(handle, kProcess); }), ENODEV);
  tree().release(handle);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 1"));
}

TEST_F(Attaching, IsTriedAtReleaseIfSomethingWasWrittenAfterTheFlush) {
  const u64 handle = create("a");
  tree().flush(handle, kProcess);
  write(handle, 0, "x", kChild);
  tree().release(handle);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 0", "attach_later a 1"));
}

TEST_F(Attaching, NeverUnderATemporaryName) {
  for (const std::string name : {".a.Ab12", "a~", "a.part", "a.tmp", "a.swp"}) {
    const u64 handle = create(name);
    write(handle, 0, "x");
    tree().flush(handle, kProcess);
    tree().release(handle);
    tree().change(inode(name), {}, 5, std::nullopt, kProcess);
  }
  EXPECT_THAT(backend.calls("attach"), IsEmpty());
}

TEST_F(Attaching, NotAtTheFlushOfADupBeforeTheFirstWriteToAFileThatExists) {
  backend.have_volume("a", "old contents");
  const u64 handle = open("a", O_WRONLY);
  tree().flush(handle, kProcess);
  write(handle, 0, "new");
  tree().flush(handle, kProcess);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 12"));
  EXPECT_EQ(backend.volume("a")->contents(), "new contents");
}

TEST_F(Attaching, IsTriedAgainByTouch) {
  backend.have_volume("a", "x");
  const u64 handle = open("a", O_WRONLY);
  tree().flush(handle, kProcess);
  set_times("a");
  tree().flush(handle, kProcess);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 1"));
}

TEST_F(Attaching, IsTriedAgainInTheBackgroundByOpeningForWritingAlone) {
  backend.have_volume("a", "x");
  const u64 handle = open("a", O_WRONLY);
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach_later a 1"));
}

TEST_F(Attaching, AWriterThatIsClosingDoesNotCount) {
  const u64 first = create("a");
  const u64 second = open("a", O_WRONLY, kChild);
  write(second, 0, "x", kChild);
  tree().closing(first);
  tree().flush(second, kChild);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 1"));
  tree().release(first);
  tree().release(second);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 1"));
}

TEST_F(Attaching, ByTruncateWithoutAnOpenFile) {
  tree().make_node(kRoot, "a", S_IFREG, {0644});
  resize("a", 4096, std::nullopt);
  EXPECT_THAT(backend.calls("attach"), ElementsAre("attach a 4096"));
  backend.fail("attach a", ENODEV);
  EXPECT_EQ(error_of([&] { resize("a", 8192, std::nullopt); }), ENODEV);
}

TEST_F(Attaching, ByTruncateNotWhileSomebodyWritesAndNotToNothing) {
  const u64 handle = create("a");
  resize("a", 4096, std::nullopt);
  tree().release(handle);
  backend.forget_calls();
  resize("a", 0, std::nullopt);
  EXPECT_THAT(backend.calls("attach"), IsEmpty());
}

}  // namespace tcmufs::ctlfs
