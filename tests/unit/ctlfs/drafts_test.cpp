// Volumes that are made and removed as directories of control files, and their size as a value.

#include <sys/stat.h>

#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Drafts : public TreeTest {
 protected:
  void SetUp() override {
    backend.have_directory("web");
    backend.have_volume("db0", "x");
  }
  Tree::Entry make(const std::string& directory, const std::string& name, mode_t mode = 0755) {
    return tree().make_directory(inode(directory), name, {mode, 1, 2, kProcess});
  }
  int error_of_make(const std::string& directory, const std::string& name) {
    return error_of([&] { make(directory, name); });
  }
  int error_of_remove(const std::string& directory, const std::string& name) {
    return error_of([&] { tree().remove_directory(inode(directory), name); });
  }
  void set_size(const std::string& name, const std::string& value) {
    write(open(".ctl/vol/" + name + "/size", O_WRONLY), 0, value + "\n");
  }
};

TEST_F(Drafts, AreMadeAsDirectoriesOfControlFiles) {
  const auto entry = make(".ctl/vol", "new");
  EXPECT_TRUE(S_ISDIR(entry.attributes.st_mode));
  EXPECT_EQ(entry.inode, inode(".ctl/vol/new"));
  EXPECT_EQ(names_in(".ctl/vol/new"), listed(volume_control_files()));
  make(".ctl/vol/web", "disk0");
  EXPECT_THAT(backend.calls("create"), ElementsAre("create new draft", "create web/disk0 draft"));
  EXPECT_THAT(backend.calls("make_directory"), IsEmpty());
  EXPECT_THAT(names_in("web"), Contains("disk0"));
}

TEST_F(Drafts, TheFileIsWhoseWhoMadeItAndNothingToExecute) {
  make(".ctl/vol", "new", 0751);
  const struct stat file = tree().attributes(inode("new"));
  EXPECT_EQ(file.st_mode, mode_t{S_IFREG | 0640});
  EXPECT_EQ(file.st_uid, 1u);
  EXPECT_EQ(file.st_gid, 2u);
}

TEST_F(Drafts, AreMadeOnlyWhereVolumesHaveTheirDirectories) {
  EXPECT_EQ(error_of_make(".ctl/vol/db0", "x"), EPERM);
  EXPECT_EQ(error_of_make(".ctl", "x"), EPERM);
  EXPECT_EQ(error_of_make(".ctl/defaults", "x"), EPERM);
  EXPECT_EQ(error_of_make(".ctl/vol/db0/size", "x"), ENOTDIR);
  EXPECT_EQ(error_of_make(".ctl/vol", "db0"), EEXIST);
  EXPECT_EQ(error_of_make(".ctl/vol", "web"), EEXIST);
  EXPECT_EQ(error_of_make(".ctl/vol", std::string(256, 'x')), ENAMETOOLONG);
  for (const char* name : {".ctl", ".tcmufs", "status"}) EXPECT_EQ(error_of_make(".ctl/vol", name), EPERM);
  EXPECT_EQ(error_of([&] { tree().create(inode(".ctl/vol"), "x", O_WRONLY, {}); }), EPERM);
  EXPECT_EQ(error_of([&] { tree().rename(inode(".ctl/vol"), "db0", kRoot, "x", 0); }), EPERM);
  EXPECT_THAT(backend.calls("create"), IsEmpty());
}

TEST_F(Drafts, ThatCannotBeMadeAreNotThere) {
  backend.fail("create new", ENOSPC);
  EXPECT_EQ(error_of_make(".ctl/vol", "new"), ENOSPC);
  EXPECT_FALSE(exists("new"));
}

TEST_F(Drafts, RmdirOfItsDirectoryRemovesAnyVolume) {
  make(".ctl/vol/web", "disk0");
  tree().remove_directory(inode(".ctl/vol/web"), "disk0");
  tree().remove_directory(inode(".ctl/vol"), "db0");
  EXPECT_THAT(backend.calls("remove"), ElementsAre("remove web/disk0", "remove db0"));
  EXPECT_FALSE(exists("db0"));
  EXPECT_FALSE(exists(".ctl/vol/web/disk0"));
}

TEST_F(Drafts, RmdirIsRefusedAsUnlinkIs) {
  backend.fail("remove db0", EBUSY);
  EXPECT_EQ(error_of_remove(".ctl/vol", "db0"), EBUSY);
  EXPECT_TRUE(exists("db0"));
  EXPECT_EQ(error_of_remove(".ctl/vol", "nothing"), ENOENT);
  EXPECT_EQ(error_of_remove(".ctl/vol", "web"), EPERM);
  EXPECT_THAT(backend.refusals().back(), AllOf(HasSubstr("'.ctl/vol/web'"), HasSubstr("no volume")));
  EXPECT_EQ(error_of_remove(".ctl/vol/db0", "size"), EPERM);
  EXPECT_EQ(error_of_remove(".ctl", "vol"), EPERM);
}

TEST_F(Drafts, AVolumeThatSomebodyHasOpenGoesWithItsDirectoryAllTheSame) {
  const u64 handle = open("db0", O_RDONLY);
  tree().remove_directory(inode(".ctl/vol"), "db0");
  EXPECT_EQ(read(handle), "x");
  tree().release(handle);
}

TEST_F(Drafts, TheSizeIsAValueWithUnitsAndSigns) {
  backend.have_volume("v", std::string(4096, 'x'));
  for (const char* value : {"8192", "16K", "+1M", "-1M", "0.5M"}) set_size("v", value);
  EXPECT_THAT(backend.calls("resize"), ElementsAre("resize v 8192", "resize v 16384", "resize v 1064960",
                                                   "resize v 16384", "resize v 524288"));
  EXPECT_THAT(backend.calls("set"), IsEmpty());
  set_size("v", "0");
  EXPECT_EQ(tree().attributes(inode("v")).st_size, 0);
}

TEST_F(Drafts, ADifferenceToTheSizeOfALinkIsOneToItsDisks) {
  tree().symlink(kRoot, "golden", "/img/g.raw", {0777, 0, 0, kProcess});
  backend.volume("golden")->set_control("size", "1048576");
  for (const char* value : {"+1M", "-4K", "8K"}) set_size("golden", value);
  EXPECT_THAT(backend.calls("resize"),
              ElementsAre("resize golden 2097152", "resize golden 1044480", "resize golden 8192"));
}

TEST_F(Drafts, ASizeThatIsNoneIsRefusedInWords) {
  for (const char* value : {"", "x", "10 G", "10g", "-1M", "-1", "1.5", "9E9", "16E", "+8E"}) {
    EXPECT_EQ(error_of([&] { set_size("db0", value); }), EINVAL) << value;
    EXPECT_THAT(backend.refusals().back(), HasSubstr("'.ctl/vol/db0/size'")) << value;
  }
  EXPECT_THAT(backend.calls("resize"), IsEmpty());
  backend.fail("resize db0", ENOSPC);
  EXPECT_EQ(error_of([&] { set_size("db0", "1G"); }), ENOSPC);
}

TEST_F(Drafts, ASizeMakesADiskAsTruncateDoes) {
  tree().release(create("new"));
  set_size("new", "1M");
  EXPECT_TRUE(attached("new"));

  tree().release(create("later.tmp"));
  set_size("later.tmp", "1M");
  EXPECT_FALSE(attached("later.tmp"));

  const u64 writer = create("open");
  set_size("open", "1M");
  EXPECT_FALSE(attached("open")) << "somebody is writing to it";
  tree().flush(writer, kProcess);
  EXPECT_TRUE(attached("open"));
}

}  // namespace tcmufs::ctlfs
