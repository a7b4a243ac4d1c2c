#include <unistd.h>

#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::HasSubstr;

class ControlFiles : public TreeTest {
 protected:
  void SetUp() override {
    backend.have_directory("web");
    backend.have_volume("web/disk0", "x");
    backend.have_volume("db0", "x");
  }
  static inline const std::vector<std::string> kFiles{"status",
                                                      "web/status",
                                                      ".ctl/status",
                                                      ".ctl/version",
                                                      ".ctl/features",
                                                      ".ctl/vol/db0/stats",
                                                      ".ctl/vol/db0/latency",
                                                      ".ctl/vol/db0/uuid",
                                                      ".ctl/vol/web/disk0/state"};
};

TEST_F(ControlFiles, SayWhatTheBackendAndTheVolumeRender) {
  EXPECT_EQ(text_of("status"), "table of ''\n");
  EXPECT_EQ(text_of("web/status"), "table of 'web'\n");
  EXPECT_EQ(text_of(".ctl/status"), "root status\n");
  EXPECT_EQ(text_of(".ctl/status.json"), "root status.json\n");
  EXPECT_EQ(text_of(".ctl/version"), "root version\n");
  EXPECT_EQ(text_of(".ctl/features"), "root features\n");
  EXPECT_EQ(text_of(".ctl/last_error"), "root last_error\n");
  for (const char* file :
       {"status", "status.json", "state", "size", "device", "sg", "wwn", "uuid", "block_size",
        "physical_block_size", "stats", "stats.json", "latency", "inflight", "last_error"}) {
    EXPECT_EQ(text_of(std::string(".ctl/vol/web/disk0/") + file), std::string(file) + " of web/disk0\n");
  }
}

TEST_F(ControlFiles, AreRenderedOnceAtOpen) {
  const u64 handle = open(".ctl/vol/db0/size", O_RDONLY);
  tree().rename(kRoot, "db0", kRoot, "db1", 0);
  EXPECT_EQ(read(handle), "size of db0\n");
  EXPECT_EQ(read(handle, 8), "db0\n");
  EXPECT_EQ(read(handle, 12), "");
  EXPECT_EQ(read(handle, 1000), "");
}

TEST_F(ControlFiles, AreReadOnlyFilesOfSizeZero) {
  for (const auto& path : kFiles) {
    const struct stat file = tree().attributes(inode(path));
    EXPECT_EQ(file.st_mode, static_cast<mode_t>(S_IFREG | 0444)) << path;
    EXPECT_EQ(file.st_size, 0) << path;
  }
  for (const char* path : {".ctl", ".ctl/defaults", ".ctl/vol/db0"}) {
    EXPECT_EQ(tree().attributes(inode(path)).st_mode, static_cast<mode_t>(S_IFDIR | 0555)) << path;
  }
  for (const char* path : {".ctl/vol", ".ctl/vol/web"}) {
    EXPECT_EQ(tree().attributes(inode(path)).st_mode, static_cast<mode_t>(S_IFDIR | 0755)) << path;
    EXPECT_EQ(tree().attributes(inode(path)).st_uid, 0u) << path;
  }
}

TEST_F(ControlFiles, CannotBeOpenedForWriting) {
  for (const auto& path : kFiles) {
    for (const int flags : {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC}) {
      EXPECT_EQ(error_of([&] { open(path, flags); }), EACCES) << path;
    }
    EXPECT_EQ(error_of([&] { tree().access(inode(path), W_OK); }), EACCES) << path;
    EXPECT_EQ(error_of([&] { tree().access(inode(path), R_OK); }), 0) << path;
  }
  EXPECT_EQ(error_of([&] { tree().access(inode("db0"), W_OK); }), 0);
  EXPECT_EQ(error_of([&] { tree().access(inode("web"), W_OK); }), 0);
}

TEST_F(ControlFiles, CannotBeChanged) {
  AttributeChange change;
  change.permissions = 0666;
  for (const auto& path : kFiles) {
    EXPECT_EQ(error_of([&] { tree().change(inode(path), change, std::nullopt, std::nullopt, kProcess); }),
              EPERM);
    EXPECT_EQ(error_of([&] { resize(path, 0, std::nullopt); }), EPERM) << path;
  }
  EXPECT_EQ(error_of([&] { tree().change(inode(".ctl"), change, std::nullopt, std::nullopt, kProcess); }),
            EPERM);
}

TEST_F(ControlFiles, TheSentenceNamesTheFile) {
  error_of([&] { open(".ctl/vol/web/disk0/state", O_WRONLY); });
  ASSERT_EQ(backend.refusals().size(), 1U);
  EXPECT_THAT(backend.refusals()[0], HasSubstr("'.ctl/vol/web/disk0/state'"));
}

TEST_F(ControlFiles, FlushAndReleaseOfThemMeanNothing) {
  const u64 handle = open("status", O_RDONLY);
  tree().flush(handle, kProcess);
  tree().sync(handle);
  tree().closing(handle);
  tree().release(handle);
  EXPECT_TRUE(backend.calls().empty());
  EXPECT_EQ(error_of([&] { read(handle); }), EBADF);
}

}  // namespace tcmufs::ctlfs
