#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Links : public TreeTest {
 protected:
  static constexpr Creation by_root{0777, 0, 0, kProcess};

  Tree::Entry link(const std::string& name, const Creation& creation = by_root) {
    return tree().symlink(kRoot, name, "/img/g.raw", creation);
  }
};

TEST_F(Links, AttachInPlaceAndShowWhereTheyLead) {
  const struct stat golden = link("golden").attributes;
  EXPECT_TRUE(S_ISLNK(golden.st_mode));
  EXPECT_EQ(golden.st_size, 10);
  EXPECT_EQ(tree().readlink(inode("golden")), "/img/g.raw");
  EXPECT_THAT(backend.calls(), ElementsAre("attach_in_place golden /img/g.raw"));
  EXPECT_EQ(text_of(".ctl/vol/golden/uuid"), "uuid of golden\n");
}

TEST_F(Links, AreListedAsSuch) {
  link("golden");
  backend.have_volume("late");
  const u64 handle = tree().open_directory(kRoot);
  EXPECT_EQ(tree().list(handle)->back().name, "golden");
  EXPECT_EQ(tree().list(handle)->back().type, mode_t{S_IFLNK});
}

TEST_F(Links, AreThereWhenATreeIsMadeAnew) {
  link("golden");
  made.emplace(backend);
  EXPECT_EQ(tree().readlink(inode("golden")), "/img/g.raw");
  EXPECT_TRUE(S_ISLNK(tree().attributes(inode("golden")).st_mode));
}

TEST_F(Links, AreForRootAlone) {
  EXPECT_EQ(error_of([&] { link("golden", {0777, 1000, 0, kProcess}); }), EPERM);
  EXPECT_THAT(backend.calls(), IsEmpty());
  EXPECT_FALSE(exists("golden"));
  EXPECT_EQ(backend.refusals().size(), 1U);
}

TEST_F(Links, ReplaceNothing) {
  backend.have_volume("golden");
  EXPECT_EQ(error_of([&] { link("golden"); }), EEXIST);
  EXPECT_THAT(backend.calls(), IsEmpty());
}

TEST_F(Links, ThatCannotBeAttachedAreNotMade) {
  backend.fail("attach_in_place golden", EBUSY);
  EXPECT_EQ(error_of([&] { link("golden"); }), EBUSY);
  EXPECT_FALSE(exists("golden"));
}

TEST_F(Links, AreRemovedAndRenamedAsFilesAre) {
  link("golden");
  tree().rename(kRoot, "golden", kRoot, "silver", 0);
  EXPECT_EQ(tree().readlink(inode("silver")), "/img/g.raw");
  tree().unlink(kRoot, "silver");
  EXPECT_FALSE(exists("silver"));
  EXPECT_THAT(backend.calls("re"), ElementsAre("rename golden silver", "remove silver"));
}

TEST_F(Links, OfATemporaryNameAreAttachedWhenRenamed) {
  link("golden.tmp");
  tree().rename(kRoot, "golden.tmp", kRoot, "golden", 0);
  EXPECT_THAT(backend.calls("attach golden"), ElementsAre("attach golden 0"));
}

TEST_F(Links, AreNotOpened) {
  link("golden");
  EXPECT_EQ(error_of([&] { open("golden", O_RDONLY); }), ELOOP);
}

TEST_F(Links, FilesAndDirectoriesAreNone) {
  backend.have_volume("a");
  EXPECT_EQ(error_of([&] { tree().readlink(inode("a")); }), EINVAL);
  EXPECT_EQ(error_of([&] { tree().readlink(kRoot); }), EINVAL);
  EXPECT_EQ(error_of([&] { tree().readlink(inode("status")); }), EINVAL);
}

}  // namespace tcmufs::ctlfs
