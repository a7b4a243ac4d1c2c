#include "volume/catalog.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <optional>

#include "support/temporary_directory.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::volume {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CatalogTest : public testing::Test {
 protected:
  CatalogTest() { open(); }

  // A daemon that starts (again) on the store.
  void open() {
    catalog_.reset();
    catalog_.emplace(store_.path());
    skipped_.clear();
    entries_ = catalog_->load(skipped_);
  }
  Record create(const std::string& path) {
    Record record;
    record.uuid = Uuid::random();
    catalog_->create_image(path, record, {0640, ::geteuid(), ::getegid()});
    return record;
  }
  Record create_directory(const std::string& path) {
    Record record;
    record.uuid = Uuid::random();
    catalog_->create_directory(path, record, {0750, ::geteuid(), ::getegid()});
    return record;
  }
  std::optional<Catalog::Entry> entry(const std::string& path) const {
    for (const auto& entry : entries_) {
      if (entry.path == path) return entry;
    }
    return std::nullopt;
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> result;
    for (const auto& entry : entries_) result.push_back(entry.path);
    std::sort(result.begin(), result.end());
    return result;
  }
  int error_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const Failure& failure) {
      return failure.error();
    }
    return 0;
  }

  test::TemporaryDirectory store_;
  std::optional<Catalog> catalog_;
  std::vector<std::string> skipped_;
  std::vector<Catalog::Entry> entries_;
};

TEST_F(CatalogTest, KeepsTheIdentityOfAVolumeOverARestart) {
  const Record record = create("db0");
  open();
  EXPECT_EQ(entry("db0")->record, record);
}

TEST_F(CatalogTest, KeepsItsOwnIdentityOverARestart) {
  const Uuid uuid = catalog_->uuid();
  open();
  EXPECT_EQ(catalog_->uuid(), uuid);
}

TEST_F(CatalogTest, CreatesAnImageWithModeAndOwner) {
  create("db0");
  struct stat st {};
  ASSERT_EQ(::stat((store_ / "db0").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode, S_IFREG | 0640U);
}

TEST_F(CatalogTest, NoSetUserIdBitReachesTheStore) {
  Record record{.uuid = Uuid::random(), .lun = {}};
  catalog_->create_image("db0", record, {06755, ::geteuid(), ::getegid()});
  struct stat st {};
  ASSERT_EQ(::stat((store_ / "db0").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0755U);
}

TEST_F(CatalogTest, RenameReplacesAnImageInOneStepIfAskedTo) {
  const Record fresh = create("new");
  create("old");
  catalog_->rename("new", "old", true);
  open();
  EXPECT_THAT(paths(), ElementsAre("old"));
  EXPECT_EQ(entry("old")->record, fresh);
}

TEST_F(CatalogTest, RefusesToCreateWhatExistsAndLeavesItAlone) {
  const Record record = create("db0");
  std::ofstream(store_ / "db0") << "precious";
  EXPECT_EQ(error_of([&] { create("db0"); }), EEXIST);
  EXPECT_EQ(read_text(store_ / "db0"), "precious");
  open();
  EXPECT_EQ(entry("db0")->record, record);
}

TEST_F(CatalogTest, ListsDirectoriesBeforeWhatIsInThem) {
  create_directory("web");
  create("web/disk0");
  open();
  ASSERT_EQ(entries_.size(), 2U);
  EXPECT_EQ(entries_[0].path, "web");
  EXPECT_TRUE(entries_[0].directory);
  EXPECT_EQ(entries_[1].path, "web/disk0");
}

TEST_F(CatalogTest, GivesAnImageThatSomebodyPutThereAnIdentityThatStays) {
  std::ofstream(store_ / "golden") << "image";
  open();
  const Record record = entry("golden")->record;
  open();
  EXPECT_EQ(entry("golden")->record, record);
}

TEST_F(CatalogTest, DropsTheRecordOfAnImageThatIsGone) {
  create_directory("web");
  create("web/disk0");
  ::unlink((store_ / "web/disk0").c_str());
  ::rmdir((store_ / "web").c_str());
  open();
  EXPECT_THAT(paths(), IsEmpty());
  EXPECT_FALSE(path_exists(store_ / ".tcmufs/records/web"));
}

TEST_F(CatalogTest, RenameTakesTheIdentityAlong) {
  const Record record = create("old");
  catalog_->rename("old", "new");
  open();
  EXPECT_THAT(paths(), ElementsAre("new"));
  EXPECT_EQ(entry("new")->record, record);
}

TEST_F(CatalogTest, RenameOfADirectoryTakesAllIdentitiesAlong) {
  const Record directory = create_directory("web");
  const Record disk = create("web/disk0");
  catalog_->rename("web", "site");
  open();
  EXPECT_EQ(entry("site")->record, directory);
  EXPECT_EQ(entry("site/disk0")->record, disk);
}

TEST_F(CatalogTest, RenameNeverReplaces) {
  const Record first = create("a");
  const Record second = create("b");
  EXPECT_EQ(error_of([&] { catalog_->rename("a", "b"); }), EEXIST);
  open();
  EXPECT_EQ(entry("a")->record, first);
  EXPECT_EQ(entry("b")->record, second);
}

// A daemon killed between two steps of a rename: what the steps leave is made by hand.
TEST_F(CatalogTest, ARenameThatDiedBeforeTheImageMovedHasNotHappened) {
  const Record record = create("old");
  std::ofstream(store_ / ".tcmufs/rename") << std::string("old\0new\0", 8);
  open();
  EXPECT_THAT(paths(), ElementsAre("old"));
  EXPECT_EQ(entry("old")->record, record);
  EXPECT_FALSE(path_exists(store_ / ".tcmufs/rename"));
}

TEST_F(CatalogTest, ARenameThatDiedAfterTheImageMovedIsFinished) {
  const Record record = create("old");
  std::ofstream(store_ / ".tcmufs/rename") << std::string("old\0new\0", 8);
  ASSERT_EQ(::rename((store_ / "old").c_str(), (store_ / "new").c_str()), 0);
  open();
  EXPECT_THAT(paths(), ElementsAre("new"));
  EXPECT_EQ(entry("new")->record, record);
}

TEST_F(CatalogTest, ABrokenRenameFileIsDropped) {
  create("old");
  std::ofstream(store_ / ".tcmufs/rename") << "nonsense";
  open();
  EXPECT_THAT(paths(), ElementsAre("old"));
  EXPECT_FALSE(path_exists(store_ / ".tcmufs/rename"));
}

TEST_F(CatalogTest, RemovesImageAndRecord) {
  create_directory("web");
  create("web/disk0");
  catalog_->remove_image("web/disk0");
  catalog_->remove_directory("web");
  open();
  EXPECT_THAT(paths(), IsEmpty());
  EXPECT_FALSE(path_exists(store_ / ".tcmufs/records/web"));
}

TEST_F(CatalogTest, ABrokenRecordIsAProblemOfThatVolumeAlone) {
  create("good");
  create("bad");
  std::ofstream(store_ / ".tcmufs/records/bad") << "{";
  open();
  EXPECT_THAT(entry("bad")->problem, HasSubstr(".tcmufs/records/bad"));
  EXPECT_THAT(entry("good")->problem, IsEmpty());
  EXPECT_EQ(read_text(store_ / ".tcmufs/records/bad"), "{");
}

TEST_F(CatalogTest, LeavesOutSymbolicLinksAndReservedNames) {
  ASSERT_EQ(::symlink("/etc/passwd", (store_ / "link").c_str()), 0);
  ASSERT_EQ(::mkfifo((store_ / "fifo").c_str(), 0600), 0);
  std::ofstream(store_ / "status") << "x";
  open();
  EXPECT_THAT(paths(), IsEmpty());
  EXPECT_EQ(skipped_.size(), 3U);
}

class CatalogLinks : public CatalogTest {
 protected:
  Record link(const std::string& path, const std::string& target) {
    Record record;
    record.uuid = Uuid::random();
    record.target = target;
    catalog_->save(path, record);
    catalog_->create_link(path, target);
    return record;
  }
  void replace(const std::string& path, const std::string& target) const {
    ASSERT_EQ(::unlink((store_ / path).c_str()), 0);
    ASSERT_EQ(::symlink(target.c_str(), (store_ / path).c_str()), 0);
  }
};

TEST_F(CatalogLinks, ComeBackWithTheirRecords) {
  const Record record = link("golden", "/img/g.raw");
  open();
  ASSERT_TRUE(entry("golden"));
  EXPECT_EQ(entry("golden")->record, record);
  EXPECT_THAT(entry("golden")->problem, IsEmpty());
  EXPECT_THAT(skipped_, IsEmpty());
}

TEST_F(CatalogLinks, AreRemovedAndRenamedWithoutWhatTheyLeadTo) {
  std::ofstream(store_ / "image") << "data";
  const Record record = link("golden", store_ / "image");
  catalog_->rename("golden", "silver");
  open();
  EXPECT_EQ(entry("silver")->record, record);
  catalog_->remove_image("silver");
  open();
  EXPECT_THAT(paths(), ElementsAre("image"));
  EXPECT_EQ(read_text(store_ / "image"), "data");
}

TEST_F(CatalogLinks, ThatLeadElsewhereThanTheirRecordsAreLeftOut) {
  link("golden", "/img/g.raw");
  replace("golden", "/etc/passwd");
  open();
  ASSERT_TRUE(entry("golden"));
  EXPECT_TRUE(entry("golden")->left_out);
  EXPECT_THAT(entry("golden")->problem, HasSubstr("another symbolic link than was made"));
}

TEST_F(CatalogLinks, InThePlaceOfAnImageAreLeftOut) {
  create("image");
  replace("image", "/etc/passwd");
  open();
  ASSERT_TRUE(entry("image"));
  EXPECT_TRUE(entry("image")->left_out);
}

TEST_F(CatalogLinks, OfSomebodyElseAreLeftOut) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make what is another's";
  link("golden", "/img/g.raw");
  ASSERT_EQ(::lchown((store_ / "golden").c_str(), 12345, 12345), 0);
  open();
  ASSERT_TRUE(entry("golden"));
  EXPECT_TRUE(entry("golden")->left_out);
}

TEST_F(CatalogLinks, WithAFileInTheirPlaceAreAProblem) {
  link("golden", "/img/g.raw");
  ASSERT_EQ(::unlink((store_ / "golden").c_str()), 0);
  std::ofstream(store_ / "golden") << "data";
  open();
  EXPECT_THAT(entry("golden")->problem, HasSubstr("was a link to '/img/g.raw'"));
}

TEST_F(CatalogLinks, ThatWereNotFinishedLeaveNothing) {
  Record record;
  record.uuid = Uuid::random();
  record.target = "/img/g.raw";
  catalog_->save("golden", record);
  open();
  EXPECT_THAT(paths(), IsEmpty());
  EXPECT_FALSE(path_exists(store_ / ".tcmufs/records/golden"));
}

TEST_F(CatalogLinks, DoNotReplaceWhatIsThere) {
  ASSERT_EQ(::symlink("/etc/passwd", (store_ / "golden").c_str()), 0);
  EXPECT_EQ(error_of([&] { catalog_->check_free("golden"); }), EEXIST);
  EXPECT_EQ(error_of([&] { catalog_->create_link("golden", "/img"); }), EEXIST);
}

TEST_F(CatalogTest, NeverFollowsALinkOutOfTheStore) {
  test::TemporaryDirectory outside;
  std::ofstream(outside / "secret") << "secret";
  ASSERT_EQ(::symlink(outside.path().c_str(), (store_ / "way").c_str()), 0);
  EXPECT_NE(error_of([&] { catalog_->open_image("way/secret"); }), 0);
  EXPECT_NE(error_of([&] { create("way/new"); }), 0);
  EXPECT_NE(error_of([&] { catalog_->remove_image("way/secret"); }), 0);
  EXPECT_NE(error_of([&] { catalog_->open_image("../" + outside.path()); }), 0);
  EXPECT_TRUE(path_exists(outside / "secret"));
  EXPECT_FALSE(path_exists(outside / "new"));
}

TEST_F(CatalogTest, IsServedByOneDaemonAtATime) {
  try {
    Catalog second(store_.path());
    FAIL() << "two catalogs on one store";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBUSY);
    EXPECT_THAT(failure.what(), HasSubstr("served by process " + std::to_string(::getpid())));
  }
}

TEST_F(CatalogTest, NamesOf255BytesHaveRecordsToo) {
  const std::string name(255, 'x');
  const Record record = create(name);
  open();
  EXPECT_EQ(entry(name)->record, record);
}

TEST(Catalog, SaysThatAStoreDoesNotExist) {
  try {
    Catalog catalog("/nowhere/at/all");
    FAIL() << "was opened";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), ENOENT);
    EXPECT_THAT(failure.what(), HasSubstr("'/nowhere/at/all'"));
  }
}

TEST_F(CatalogTest, AnImageThatCannotBeFinishedForWantOfDescriptorsIsTakenBack) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer needs descriptors itself";
#endif
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  int refused = 0;
  for (rlim_t spare = 0; spare < 8; ++spare) {
    const Fd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const rlimit few{static_cast<rlim_t>(next.number()) + spare, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
    try {
      create("db" + std::to_string(spare));
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.error(), EMFILE) << failure.what();
      ++refused;
      EXPECT_FALSE(path_exists(store_ / ("db" + std::to_string(spare)))) << spare;
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
  }
  EXPECT_GT(refused, 1);
  EXPECT_LT(refused, 8);
}

}  // namespace
}  // namespace tcmufs::volume
