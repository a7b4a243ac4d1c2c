#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Creating = TreeTest;

TEST_F(Creating, AFileIsAVolume) {
  const auto created = tree().create(kRoot, "db0", O_RDWR | O_CREAT, {0640, 10, 20, kProcess});
  EXPECT_EQ(created.entry.attributes.st_mode, static_cast<mode_t>(S_IFREG | 0640));
  EXPECT_EQ(created.entry.attributes.st_uid, 10U);
  EXPECT_EQ(created.entry.attributes.st_gid, 20U);
  EXPECT_EQ(created.entry.inode, inode("db0"));
  EXPECT_THAT(backend.calls("create"), ElementsAre("create db0"));
}

TEST_F(Creating, InADirectoryThePathIsWhole) {
  const u64 web = make_directory("web");
  tree().create(web, "disk0", O_WRONLY | O_CREAT, {0644, 0, 0, kProcess});
  EXPECT_THAT(backend.calls(), ElementsAre("make_directory web", "create web/disk0"));
  EXPECT_TRUE(exists(".ctl/vol/web/disk0/size"));
}

TEST_F(Creating, MknodMakesAVolumeToo) {
  tree().make_node(kRoot, "a", S_IFREG, {0644});
  tree().make_node(kRoot, "b", 0, {0644});
  EXPECT_THAT(backend.calls(), ElementsAre("create a", "create b"));
}

TEST_F(Creating, MknodMakesNothingElse) {
  for (const unsigned type : {0U + S_IFIFO, 0U + S_IFCHR, 0U + S_IFBLK, 0U + S_IFSOCK}) {
    EXPECT_EQ(error_of([&] { tree().make_node(kRoot, "a", type, {0644}); }), EPERM);
  }
  EXPECT_TRUE(backend.calls().empty());
}

TEST_F(Creating, AnExistingNameIsOpenedUnlessExclusive) {
  backend.have_volume("a", "old");
  EXPECT_EQ(error_of([&] { create("a", O_WRONLY | O_CREAT | O_EXCL); }), EEXIST);
  EXPECT_EQ(error_of([&] { tree().make_node(kRoot, "a", S_IFREG, {0644}); }), EEXIST);
  EXPECT_EQ(error_of([&] { tree().make_directory(kRoot, "a", {0755}); }), EEXIST);
  create("a");
  EXPECT_TRUE(backend.calls().empty());
  create("a", O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_THAT(backend.calls(), ElementsAre("resize a 0"));
}

TEST_F(Creating, ADirectoryIsNotOpenedAsAFile) {
  make_directory("web");
  EXPECT_EQ(error_of([&] { create("web"); }), EISDIR);
  EXPECT_EQ(error_of([&] { open("web", O_RDONLY); }), EISDIR);
}

TEST_F(Creating, ReservedNamesAreRefusedAtEveryLevel) {
  make_directory("web");
  for (const std::string directory : {"", "web"}) {
    const u64 parent = inode(directory);
    for (const char* name : {".ctl", ".tcmufs", "status"}) {
      EXPECT_EQ(error_of([&] { tree().create(parent, name, O_WRONLY, {0644}); }), EPERM) << name;
      EXPECT_EQ(error_of([&] { tree().make_node(parent, name, S_IFREG, {0644}); }), EPERM) << name;
      EXPECT_EQ(error_of([&] { tree().make_directory(parent, name, {0755}); }), EPERM) << name;
    }
  }
}

TEST_F(Creating, A255ByteNameIsTheLongest) {
  EXPECT_EQ(error_of([&] { create(std::string(255, 'n')); }), 0);
  const std::string longer(256, 'n');
  EXPECT_EQ(error_of([&] { create(longer); }), ENAMETOOLONG);
  EXPECT_EQ(error_of([&] { make_directory(longer); }), ENAMETOOLONG);
  EXPECT_EQ(error_of([&] { tree().lookup(kRoot, longer); }), ENAMETOOLONG);
  for (const std::string& sentence : backend.refusals()) {
    EXPECT_THAT(sentence, ::testing::HasSubstr("a name of 256 bytes: "));
    EXPECT_LT(sentence.size(), 150U);
  }
  EXPECT_EQ(error_of([&] { tree().rename(kRoot, std::string(255, 'n'), kRoot, longer, 0); }), ENAMETOOLONG);
}

TEST_F(Creating, NothingIsMadeBelowCtlButDrafts) {
  backend.have_volume("a");
  for (const char* path : {".ctl", ".ctl/vol", ".ctl/vol/a"}) {
    const u64 parent = inode(path);
    EXPECT_EQ(error_of([&] { tree().create(parent, "x", O_WRONLY, {0644}); }), EPERM) << path;
    EXPECT_EQ(error_of([&] { tree().make_node(parent, "x", S_IFREG, {0644}); }), EPERM) << path;
    EXPECT_EQ(error_of([&] { tree().symlink(parent, "x", "/y", {0777}); }), EPERM) << path;
  }
}

TEST_F(Creating, InAFileIsNotADirectory) {
  backend.have_volume("a");
  EXPECT_EQ(error_of([&] { tree().create(inode("a"), "x", O_WRONLY, {0644}); }), ENOTDIR);
}

TEST_F(Creating, InARemovedDirectoryIsNoEntry) {
  const u64 web = make_directory("web");
  tree().remove_directory(kRoot, "web");
  EXPECT_EQ(error_of([&] { tree().create(web, "x", O_WRONLY, {0644}); }), ENOENT);
}

TEST_F(Creating, HardLinksAreRefused) {
  backend.have_volume("a");
  EXPECT_EQ(error_of([&] { tree().link(inode("a"), kRoot, "b"); }), EPERM);
  EXPECT_FALSE(exists("b"));
}

TEST_F(Creating, TheBackendsErrnoIsTheUsers) {
  backend.fail("create a", ENOSPC);
  EXPECT_EQ(error_of([&] { create("a"); }), ENOSPC);
  EXPECT_FALSE(exists("a"));
  backend.fail("create a", 0);
  EXPECT_EQ(error_of([&] { create("a"); }), 0);
  backend.fail("make_directory web", EDQUOT);
  EXPECT_EQ(error_of([&] { make_directory("web"); }), EDQUOT);
  EXPECT_FALSE(exists("web"));
}

TEST_F(Creating, ARefusalLeavesASentence) {
  error_of([&] { create("status"); });
  ASSERT_EQ(backend.refusals().size(), 1U);
  EXPECT_THAT(backend.refusals()[0], HasSubstr("cannot create 'status'"));
  EXPECT_THAT(backend.refusals()[0], HasSubstr("(EPERM)"));
  EXPECT_THAT(backend.refusals()[0], HasSubstr("reserved"));
}

TEST_F(Creating, AnOrdinaryMissingNameIsNoRefusal) {
  EXPECT_EQ(tree().lookup(kRoot, "nothing"), std::nullopt);
  EXPECT_TRUE(backend.refusals().empty());
}

}  // namespace tcmufs::ctlfs
