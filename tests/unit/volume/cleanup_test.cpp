#include "volume/cleanup.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "lio/configfs.h"
#include "lio/loopback.h"
#include "scsi/identity.h"
#include "support/fake_configfs.h"
#include "unit/lio/fake_places.h"
#include "unit/lio/volume_objects.h"
#include "volume/targets.h"

namespace tcmufs::volume {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

const std::string other_store = "99999999-2222-4333-8444-555555555555";

/// A machine with volumes of daemons that may be dead; what others have is there before, and stays.
class CleanupTest : public testing::Test {
 protected:
  CleanupTest() {
    test::add_foreign_objects(tree_);
    before_ = tree_.snapshot();
    test::FakePlaces::directory(places_.links);
    test::FakePlaces::directory(places_.nodes);
  }

  /// Returns the backstore.
  std::string leave_volume(const std::string& uuid, const std::string& store = test::store_uuid) {
    auto options = test::volume_options(uuid);
    options.dev_config = "tcmufs/" + store + "/" + uuid;
    lio::Backstore backstore(tree_, options);
    lio::LoopbackTarget target(tree_, target_wwn(*Uuid::parse(uuid)));
    lio::Lun lun(target, 0, backstore);
    test::FakePlaces::write(places_.nodes + "/" + scsi::naa_name(*Uuid::parse(uuid)), "TCMUFS_OWNER=1\n");
    lun.abandon();
    target.abandon();
    backstore.abandon();
    return backstore.path();
  }
  /// The disk sdx of a volume, with a link.
  void add_disk(const std::string& uuid, const std::string& name) const {
    fake_.add_disk(1 << 20);
    test::FakePlaces::write(fake_.device() + "/wwid", scsi::naa_name(*Uuid::parse(uuid)) + "\n");
    fs::create_directories(fs::path(places_.links + "/" + name).parent_path());
    fs::create_symlink(places_.dev + "/sdx", places_.links + "/" + name);
  }
  void add_process(const std::string& pid, const std::string& program, const std::string& status) const {
    test::FakePlaces::write(fake_.proc() + "/" + pid + "/comm", program + "\n");
    test::FakePlaces::write(fake_.proc() + "/" + pid + "/status", status);
    test::FakePlaces::directory(fake_.proc() + "/" + pid + "/fd");
  }
  void open_uio(const std::string& pid, const std::string& backstore) const {
    for (const KernelBackstore& one : kernel_backstores(tree_)) {
      if (one.path == backstore)
        test::FakePlaces::write(fake_.sysfs() + "/class/uio/uio3/name", one.uio_name() + "\n");
    }
    fs::create_symlink("/dev/uio3", fake_.proc() + "/" + pid + "/fd/9");
  }
  void open_lock(const std::string& pid, const std::string& store) const {
    test::FakePlaces::write(fake_.root() + "/store/.tcmufs/uuid", store + "\n");
    fs::create_symlink(fake_.root() + "/store/.tcmufs/lock", fake_.proc() + "/" + pid + "/fd/7");
  }
  void clean(const CleanupOptions& options = {}) {
    done_.clear();
    left_.clear();
    refused_.clear();
    clean_up(tree_, options,
             {.done = [this](const std::string& sentence) { done_.push_back(sentence); },
              .left = [this](const std::string& sentence) { left_.push_back(sentence); },
              .refused = [this](const std::string& sentence) { refused_.push_back(sentence); }},
             places_);
  }
  std::vector<std::string> nodes() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(places_.nodes)) names.push_back(entry.path().filename());
    return names;
  }

  test::FakePlaces fake_;
  mutable test::FakeConfigfs tree_;
  std::map<std::string, std::string> before_;
  CleanupPlaces places_{.kernel = {fake_.sysfs(), fake_.proc(), "", "", ""},
                        .dev = fake_.dev(),
                        .links = fake_.dev() + "/tcmufs",
                        .nodes = fake_.root() + "/nodes"};
  std::vector<std::string> done_;
  std::vector<std::string> left_;
  std::vector<std::string> refused_;
};

constexpr const char* running =
    "State:\tS (sleeping)\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n";

TEST_F(CleanupTest, RemovesAllThatIsOursAndNothingElse) {
  leave_volume(test::volume_uuid);
  leave_volume("bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee", other_store);
  add_disk(test::volume_uuid, "web/db0");
  tree_.serve_rings(false);
  clean();
  EXPECT_EQ(tree_.snapshot(), before_);
  EXPECT_THAT(
      done_, UnorderedElementsAre("removed 'web/db0' (" + places_.dev + "/sdx); nobody used it",
                                  "removed 'bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee'; no disk of it was found"));
  EXPECT_THAT(left_, IsEmpty());
  EXPECT_THAT(refused_, IsEmpty());
  EXPECT_THAT(nodes(), IsEmpty());
  EXPECT_FALSE(fs::exists(places_.links));
  clean();
  EXPECT_THAT(done_, IsEmpty());
}

TEST_F(CleanupTest, SaysOfAnyVolumeThatWasUsedThatDataIsLost) {
  leave_volume(test::volume_uuid);
  add_disk(test::volume_uuid, "db0");
  test::FakePlaces::write(fake_.proc() + "/self/mountinfo", "30 1 8:113 / /srv rw - ext4 /dev/sdx1 rw\n");
  test::FakePlaces::write(fake_.block() + "/inflight", "       1        3\n");
  clean({.stores = {}, .dry_run = true});
  EXPECT_THAT(done_,
              ElementsAre("would remove 'db0' (" + places_.dev +
                          "/sdx); what is not synced would be lost: mounted on '/srv'; 3 writes waited"));
  clean();
  EXPECT_THAT(done_,
              ElementsAre(EndsWith("what was not synced is lost: mounted on '/srv'; 3 writes waited")));
}

TEST_F(CleanupTest, AProcessThatHasTheDiskOpenIsNamed) {
  const std::string real = test::real_block_device([](const std::string&) { return true; });
  if (real.empty()) GTEST_SKIP() << "this machine shows no block device";
  leave_volume(test::volume_uuid);
  add_disk(test::volume_uuid, "db0");
  add_process("17", "dd", running);
  fs::create_symlink(real, fake_.proc() + "/17/fd/1");
  const dev_t number = test::number_of(real);
  fs::create_directories(fake_.sysfs() + "/dev/block");
  fs::create_symlink(
      "../../devices/platform/host3/block/sdx/sdx1",
      fake_.sysfs() + "/dev/block/" + std::to_string(major(number)) + ":" + std::to_string(minor(number)));
  clean();
  EXPECT_THAT(done_, ElementsAre(EndsWith("is lost: open in process 17 (dd)")));
}

TEST_F(CleanupTest, DryRunChangesNothing) {
  leave_volume(test::volume_uuid);
  add_disk(test::volume_uuid, "db0");
  tree_.make_directory("core/user_1000000");
  const auto as_it_was = tree_.snapshot();
  clean({.stores = {}, .dry_run = true});
  EXPECT_EQ(tree_.snapshot(), as_it_was);
  EXPECT_TRUE(fs::is_symlink(places_.links + "/db0"));
  EXPECT_EQ(nodes().size(), 1U);
}

TEST_F(CleanupTest, WhatALivingProcessServesStaysAndIsRefusedByName) {
  const std::string served = leave_volume(test::volume_uuid);
  leave_volume("bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee", other_store);
  add_process("17", "tcmufs", running);
  open_uio("17", served);
  clean();
  EXPECT_THAT(done_, ElementsAre(HasSubstr("'bbbbbbbb")));
  EXPECT_THAT(left_,
              ElementsAre(AllOf(StartsWith("the store " + test::store_uuid +
                                           " is served by process 17 (tcmufs): left as it is: 'aaaaaaaa"),
                                EndsWith("'mountctl umount' takes that down"))));
  EXPECT_TRUE(tree_.exists(served));
  EXPECT_EQ(nodes().size(), 1U);
  EXPECT_THAT(refused_, IsEmpty());
  clean({.stores = {test::store_uuid}, .dry_run = false});
  EXPECT_THAT(refused_, ElementsAre(HasSubstr("served by process 17")));
  EXPECT_TRUE(tree_.exists(served));
}

TEST_F(CleanupTest, WhoeverHasTheLockOfTheStoreIsAboutToServeIt) {
  const std::string backstore = leave_volume(test::volume_uuid);
  add_process("17", "tcmufs", running);
  open_lock("17", test::store_uuid);
  clean();
  EXPECT_THAT(left_, ElementsAre(HasSubstr("served by process 17")));
  EXPECT_TRUE(tree_.exists(backstore));
}

TEST_F(CleanupTest, TheLockThatThisProcessHasKeepsOthersFromServing) {
  leave_volume(test::volume_uuid);
  add_process(std::to_string(::getpid()), "tcmufs", running);
  open_lock(std::to_string(::getpid()), test::store_uuid);
  clean();
  EXPECT_EQ(tree_.snapshot(), before_);
}

TEST_F(CleanupTest, AProcessThatWasKilledServesNothingThoughItIsStillThere) {
  add_process("17", "tcmufs",
              "State:\tD (disk sleep)\nSigPnd:\t0000000000000100\nShdPnd:\t0000000000000000\n");
  add_process("18", "tcmufs",
              "State:\tD (disk sleep)\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000100\n");
  add_process("19", "tcmufs", "State:\tZ (zombie)\n");
  for (const std::string pid : {"17", "18", "19"}) {
    open_uio(pid, leave_volume(test::volume_uuid));
    clean();
    EXPECT_EQ(tree_.snapshot(), before_) << pid;
  }
}

TEST_F(CleanupTest, OfANamedStoreOnlyIsWhatBearsItsMark) {
  leave_volume(test::volume_uuid);
  const std::string other = leave_volume("bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee", other_store);
  tree_.make_directory("core/user_1000000");
  clean({.stores = {test::store_uuid}, .dry_run = false});
  EXPECT_THAT(done_, ElementsAre(HasSubstr("'aaaaaaaa")));
  EXPECT_TRUE(tree_.exists(other));
  EXPECT_TRUE(tree_.exists("core/user_1000000"));
}

TEST_F(CleanupTest, WhatBearsNoMarkIsRemovedOnlyWhereNoDaemonIs) {
  tree_.make_directory("core/user_1000000");
  tree_.make_directory("core/user_1000001");
  tree_.make_directory("core/user_1000001/" + test::volume_uuid);
  {
    lio::LoopbackTarget target(tree_, "naa.5001405123456789");
    target.abandon();
  }
  test::FakePlaces::write(places_.nodes + "/naa.60014050000000000000000000000000", "TCMUFS_OWNER=1\n");
  const auto as_it_was = tree_.snapshot();
  add_process("17", "tcmufs", running);
  open_lock("17", other_store);
  clean();
  EXPECT_EQ(tree_.snapshot(), as_it_was);
  EXPECT_EQ(nodes().size(), 1U);
  fs::remove_all(fake_.proc() + "/17");
  clean();
  EXPECT_EQ(tree_.snapshot(), before_);
  EXPECT_THAT(nodes(), IsEmpty());
  EXPECT_THAT(done_, ElementsAre("removed the half-made device 'core/user_1000001/" + test::volume_uuid + "'",
                                 "removed the target 'naa.5001405123456789', which had no disk"));
}

TEST_F(CleanupTest, WhatCannotBeRemovedIsSaidAndTheOthersGo) {
  const std::string stays = leave_volume(test::volume_uuid);
  leave_volume("bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee");
  tree_.fail_on("rmdir " + stays, EBUSY);
  clean();
  EXPECT_THAT(done_, ElementsAre(HasSubstr("'bbbbbbbb")));
  EXPECT_THAT(refused_, ElementsAre(AllOf(StartsWith("cannot remove 'aaaaaaaa"), HasSubstr("EBUSY"))));
  EXPECT_EQ(nodes().size(), 1U);
  tree_.revive();
  clean();
  EXPECT_EQ(tree_.snapshot(), before_);
}

TEST_F(CleanupTest, AKernelWithoutTargetsHasNothing) {
  fs::create_symlink("/dev/there-is-no-such-node", places_.links + "/stale");
  lio::Configfs none({}, fake_.root() + "/no-config");
  clean_up(none, {}, {}, places_);
  EXPECT_FALSE(fs::exists(places_.links));
}

}  // namespace
}  // namespace tcmufs::volume
