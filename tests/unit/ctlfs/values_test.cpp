// Values that are written to control files.

#include <unistd.h>

#include <chrono>
#include <future>
#include <thread>

#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Values : public TreeTest {
 protected:
  void SetUp() override {
    backend.have_directory("web");
    backend.have_volume("web/disk0", "x");
    backend.have_volume("db0", "x");
  }
  std::vector<std::string> sets() { return backend.calls("set "); }
  int error_of_write(u64 handle, u64 offset, const std::string& text) {
    return error_of([&] { write(handle, offset, text); });
  }

  const std::string file = ".ctl/vol/db0/block_size";
};

TEST_F(Values, ReachTheVolumeOrTheBackendInTheWrite) {
  const u64 handle = open(file, O_WRONLY);
  write(handle, 0, "4096\n");
  EXPECT_THAT(sets(), ElementsAre("set db0/block_size 4096"));
  tree().flush(handle, kProcess);
  tree().release(handle);
  write(open(".ctl/vol/web/disk0/physical_block_size", O_WRONLY), 0, "512\n");
  write(open(".ctl/defaults/block_size", O_RDWR | O_TRUNC), 0, "4096\n");
  EXPECT_THAT(sets(), ElementsAre("set db0/block_size 4096", "set web/disk0/physical_block_size 512",
                                  "set defaults/block_size 4096"));
  EXPECT_EQ(text_of(file), "4096\n");
  EXPECT_EQ(text_of(".ctl/defaults/block_size"), "4096\n");
  EXPECT_EQ(text_of(".ctl/defaults/physical_block_size"), "root defaults/physical_block_size\n");
}

TEST_F(Values, RefusalIsThatOfTheWrite) {
  backend.fail("set db0/block_size", EBUSY);
  backend.fail("set defaults/block_size", EINVAL);
  EXPECT_EQ(error_of_write(open(file, O_WRONLY), 0, "4096\n"), EBUSY);
  EXPECT_EQ(error_of_write(open(".ctl/defaults/block_size", O_WRONLY), 0, "1\n"), EINVAL);
  EXPECT_EQ(text_of(file), "block_size of db0\n");
}

TEST_F(Values, WhiteSpaceAroundThemDoesNotCount) {
  for (const char* text : {"4096", "4096\n", " \t4096 \n\n", "\r\n4096\r\n"}) {
    backend.forget_calls();
    write(open(file, O_WRONLY), 0, text);
    EXPECT_THAT(sets(), ElementsAre("set db0/block_size 4096")) << text;
  }
  backend.forget_calls();
  write(open(file, O_WRONLY), 0, "a b\n c\n");
  EXPECT_THAT(sets(), ElementsAre("set db0/block_size a b\n c"));
}

TEST_F(Values, AnEmptyOneIsForTheVolumeToJudge) {
  write(open(file, O_WRONLY), 0, "\n");
  EXPECT_THAT(backend.calls("set"), ElementsAre("set db0/block_size"));
}

TEST_F(Values, EachStandsInOneWriteAtTheBeginning) {
  const u64 handle = open(file, O_WRONLY);
  EXPECT_EQ(error_of_write(handle, 3, "6"), EINVAL);
  EXPECT_THAT(backend.refusals().back(), AllOf(HasSubstr("'.ctl/vol/db0/block_size'"), HasSubstr("offset 3"),
                                               HasSubstr("whole value at once")));
  write(handle, 0, "40");
  EXPECT_EQ(error_of_write(handle, 2, "96\n"), EINVAL);
  EXPECT_EQ(error_of_write(handle, 1, "96\n"), EINVAL);
  EXPECT_THAT(sets(), ElementsAre("set db0/block_size 40"));
}

TEST_F(Values, ANewlineAfterOneIsNoValue) {
  const u64 handle = open(file, O_WRONLY);
  write(handle, 0, "4096");
  write(handle, 4, "\n");
  EXPECT_THAT(sets(), ElementsAre("set db0/block_size 4096"));
  write(handle, 5, "512\n");
  EXPECT_THAT(sets(), ElementsAre("set db0/block_size 4096", "set db0/block_size 512"));
}

TEST_F(Values, AnotherMayFollowALineOrStartAnew) {
  const u64 handle = open(file, O_WRONLY);
  write(handle, 0, "4096\n");
  write(handle, 5, "512\n");
  EXPECT_EQ(error_of_write(handle, 5, "4096\n"), EINVAL);
  write(handle, 0, "4096\n");
  EXPECT_THAT(sets(),
              ElementsAre("set db0/block_size 4096", "set db0/block_size 512", "set db0/block_size 4096"));
}

TEST_F(Values, OneThatWasRefusedDoesNotCountAsWritten) {
  const u64 handle = open(file, O_WRONLY);
  write(handle, 0, "4096\n");
  backend.fail("set db0/block_size", EINVAL);
  EXPECT_EQ(error_of_write(handle, 5, "1\n"), EINVAL);
  backend.fail("set db0/block_size", 0);
  write(handle, 5, "512\n");
  EXPECT_EQ(text_of(file), "512\n");
}

TEST_F(Values, HugeOnesAreRefused) {
  EXPECT_EQ(error_of_write(open(file, O_WRONLY), 0, std::string(1 << 20, '1')), EINVAL);
  EXPECT_THAT(backend.refusals().back(), HasSubstr("a value of 1048576 bytes"));
  EXPECT_LT(backend.refusals().back().size(), 300U);
  EXPECT_THAT(sets(), IsEmpty());
  write(open(file, O_WRONLY), 0, "512" + std::string(1 << 20, '\n'));
  EXPECT_THAT(sets(), ElementsAre("set db0/block_size 512"));
}

TEST_F(Values, AHandleReadsBackWhatWasWrittenThroughIt) {
  const u64 handle = open(file, O_RDWR);
  EXPECT_EQ(read(handle), "block_size of db0\n");
  write(handle, 0, "4096\n");
  EXPECT_EQ(read(handle), "4096\n");
}

TEST_F(Values, TruncatingAndTouchingMeansNothing) {
  const u64 handle = open(file, O_WRONLY | O_TRUNC);
  resize(file, 0, handle);
  resize(file, 100, std::nullopt);
  set_times(file);
  tree().sync(handle);
  tree().flush(handle, kProcess);
  tree().release(handle);
  EXPECT_THAT(backend.calls(), IsEmpty());
  EXPECT_EQ(tree().attributes(inode(file)).st_size, 0);
}

TEST_F(Values, TheirFilesAreRoots0644AndStaySo) {
  for (const std::string& path : {file, std::string(".ctl/defaults/physical_block_size")}) {
    const struct stat attributes = tree().attributes(inode(path));
    EXPECT_EQ(attributes.st_mode, static_cast<mode_t>(S_IFREG | 0644));
    EXPECT_EQ(attributes.st_uid, 0U);
    EXPECT_EQ(attributes.st_gid, 0U);
    EXPECT_EQ(error_of([&] { tree().access(inode(path), W_OK | R_OK); }), 0);
    AttributeChange mode;
    mode.permissions = 0666;
    AttributeChange owner;
    owner.uid = 1000;
    for (const auto& change : {mode, owner}) {
      EXPECT_EQ(error_of([&] { tree().change(inode(path), change, std::nullopt, std::nullopt, 0); }), EPERM);
    }
  }
}

TEST_F(Values, AHandleThatOnlyReadsTakesNone) {
  EXPECT_EQ(error_of_write(open(file, O_RDONLY), 0, "4096\n"), EBADF);
  EXPECT_EQ(error_of_write(open("status", O_RDONLY), 0, "4096\n"), EBADF);
}

TEST_F(Values, NothingIsAllocatedInAControlFile) {
  const u64 handle = open(file, O_WRONLY);
  EXPECT_EQ(error_of([&] { tree().allocate(handle, 0, 0, 4096, kProcess); }), EOPNOTSUPP);
}

TEST_F(Values, OfARemovedVolumeAreRefused) {
  const u64 handle = open(file, O_RDWR);
  tree().unlink(kRoot, "db0");
  EXPECT_EQ(error_of_write(handle, 0, "4096\n"), ENOENT);
  EXPECT_THAT(sets(), IsEmpty());
}

TEST_F(Values, ReachTheVolumeUnderItsNewName) {
  const u64 handle = open(file, O_RDWR);
  tree().rename(kRoot, "db0", kRoot, "db1", 0);
  write(handle, 0, "4096\n");
  EXPECT_THAT(sets(), ElementsAre("set db1/block_size 4096"));
}

TEST_F(Values, ARenameOfTheDirectoryAboveWaitsUntilTheValueIsKept) {
  const u64 handle = open(".ctl/vol/web/disk0/block_size", O_WRONLY);
  backend.block("set web/disk0/block_size");
  std::thread writer([&] { write(handle, 0, "4096\n"); });
  ASSERT_TRUE(backend.wait_for_blocked());
  auto rename = std::async(std::launch::async, [&] { tree().rename(kRoot, "web", kRoot, "site", 0); });
  EXPECT_EQ(text_of(".ctl/vol/web/disk0/size"), "size of web/disk0\n");  // does not wait
  EXPECT_EQ(rename.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  backend.release_calls();
  writer.join();
  rename.get();
  EXPECT_THAT(backend.calls(), ElementsAre("set web/disk0/block_size 4096", "rename web site"));
}

TEST_F(Values, DefaultsAreListed) {
  EXPECT_EQ(names_in(".ctl/defaults"), listed(default_control_files()));
  EXPECT_THAT(names_in(".ctl/defaults"), ::testing::IsSupersetOf({"block_size", "direct"}));
  EXPECT_EQ(error_of([&] { tree().unlink(inode(".ctl/defaults"), "block_size"); }), EPERM);
  EXPECT_EQ(error_of([&] { tree().make_node(inode(".ctl/defaults"), "x", S_IFREG, {}); }), EPERM);
  EXPECT_FALSE(exists(".ctl/defaults/size"));
  EXPECT_FALSE(exists(".ctl/vol/db0/defaults"));
}

TEST_F(Values, EveryInodeIsAnother) {
  std::set<u64> numbers;
  std::size_t count = 0;
  for (const char* directory : {".ctl", ".ctl/defaults", ".ctl/vol/db0", ".ctl/vol/web/disk0"}) {
    for (const std::string& name : names_in(directory)) {
      if (name == "." || name == "..") continue;
      numbers.insert(inode(std::string(directory) + "/" + name));
      ++count;
    }
  }
  EXPECT_EQ(numbers.size(), count);
}

}  // namespace tcmufs::ctlfs
