#include "volume/doctor.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "support/fake_configfs.h"
#include "support/temporary_directory.h"
#include "unit/lio/fake_places.h"

namespace tcmufs::volume {
namespace {

using Grade = Finding::Grade;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* store_uuid = "11111111-2222-4333-8444-555555555555";
constexpr const char* dev_config = "tcmufs/11111111-2222-4333-8444-555555555555/db0";

/// A machine of which only what the test adds is there.
class DoctorTest : public testing::Test {
 protected:
  DoctorTest() {
    for (const std::string& place : {places_.kernel.modules, places_.kernel.etc, places_.kernel.var})
      test::FakePlaces::directory(place);
  }

  void run(const std::string& pid, const std::string& program) const {
    test::FakePlaces::write(fake_.proc() + "/" + pid + "/comm", program + "\n");
  }
  void open_uio(const std::string& pid, const std::string& uio) const {
    test::FakePlaces::directory(fake_.proc() + "/" + pid + "/fd");
    std::filesystem::create_symlink("/dev/" + uio, fake_.proc() + "/" + pid + "/fd/9");
  }
  void name_uio(const std::string& uio, const std::string& name) const {
    test::FakePlaces::write(fake_.sysfs() + "/class/uio/" + uio + "/name", name + "\n");
  }
  void add_backstore(const std::string& path, const std::string& config) {
    tree_.make_directory(path.substr(0, path.rfind('/')));
    tree_.make_directory(path);
    tree_.write(path + "/control", "dev_size=4096,dev_config=" + config);
  }
  std::string leftovers() { return doctor_text(examine_leftovers(tree_, places_)); }

  test::FakePlaces fake_;
  test::FakeConfigfs tree_;
  DoctorPlaces places_{.kernel = {fake_.sysfs(), fake_.proc(), fake_.root() + "/modules",
                                  fake_.root() + "/etc", fake_.root() + "/var"},
                       .udev_rules = {fake_.root() + "/rules", fake_.root() + "/more"}};
};

TEST(DoctorText, HasALineForEachFinding) {
  const std::vector<Finding> findings = {{Grade::ok, "a", "it is"}, {Grade::warn, "b", "less"}};
  EXPECT_EQ(doctor_text(findings), "OK a: it is\nWARN b: less\n");
  EXPECT_FALSE(must_be_fixed(findings));
  EXPECT_EQ(doctor_text({{Grade::fix, "c", "broken"}}), "FIX c: broken\n");
  EXPECT_TRUE(must_be_fixed({{Grade::ok, "a", ""}, {Grade::fix, "c", ""}}));
}

TEST_F(DoctorTest, AMissingModuleIsToBeFixedUnlessDisksWorkWithoutIt) {
  test::FakePlaces::directory(fake_.sysfs() + "/devices/tcm_user");
  const std::string text = doctor_text(examine_modules(places_));
  EXPECT_THAT(text, HasSubstr("OK modules: target_core_user is there\n"));
  EXPECT_THAT(text, HasSubstr("FIX modules: this kernel has no module tcm_loop; install"));
  EXPECT_THAT(text, HasSubstr("FIX modules: this kernel has no module fuse; install"));
  EXPECT_THAT(text, HasSubstr("WARN modules: this kernel has no module sg; install"));
}

TEST_F(DoctorTest, NobodyElseUsesTcmuOrIsNamed) {
  EXPECT_EQ(doctor_text(examine_others(tree_, places_)), "OK others: nobody else uses TCMU\n");
  add_backstore("core/user_1000001/db0", dev_config);
  EXPECT_EQ(doctor_text(examine_others(tree_, places_)), "OK others: nobody else uses TCMU\n");
  add_backstore("core/user_0/vol", "file//var/x");
  run("17", "tcmu-runner");
  EXPECT_THAT(
      doctor_text(examine_others(tree_, places_)),
      AllOf(StartsWith("WARN others: other programs have TCMU backstores: core/user_0/vol (file//var/x);"),
            HasSubstr("WARN others: tcmu-runner is running")));
}

TEST_F(DoctorTest, ABackstoreOfOursThatNoProcessServesIsLeft) {
  EXPECT_EQ(leftovers(), "OK leftovers: every disk of tcmufs is served\n");
  add_backstore("core/user_0/vol", "file//var/x");
  add_backstore("core/user_1000001/db0", dev_config);
  EXPECT_THAT(leftovers(),
              AllOf(StartsWith("FIX leftovers: nobody serves 'core/user_1000001/db0'; mount the store "),
                    HasSubstr(std::string("mountctl cleanup --store ") + store_uuid),
                    Not(HasSubstr("its I/O waits"))));
  name_uio("uio3", std::string("tcm-user/1000001/db0/") + dev_config);
  open_uio("17", "uio4");
  EXPECT_THAT(leftovers(), StartsWith("FIX")) << "another device is open";
  open_uio("18", "uio3");
  EXPECT_THAT(leftovers(), StartsWith("OK"));
}

TEST_F(DoctorTest, WhatTheDaemonServesThatIsAskedIsServed) {
  add_backstore("core/user_1000001/db0", dev_config);
  name_uio("uio3", std::string("tcm-user/1000001/db0/") + dev_config);
  open_uio(std::to_string(::getpid()), "uio3");
  EXPECT_THAT(leftovers(), StartsWith("OK"));
}

TEST_F(DoctorTest, AnEmptyHbaInOurRangeIsSaid) {
  tree_.make_directory("core/user_7");
  EXPECT_THAT(leftovers(), StartsWith("OK"));
  tree_.make_directory("core/user_1000007");
  EXPECT_THAT(leftovers(), StartsWith("WARN leftovers: 'core/user_1000007' is empty"));
}

TEST_F(DoctorTest, MultipathdIsToBeToldOfTheDisks) {
  run("17", "multipath");
  EXPECT_THAT(doctor_text(examine_multipath(places_)), StartsWith("OK multipath: multipathd does not run"));
  run("18", "multipathd");
  EXPECT_THAT(doctor_text(examine_multipath(places_)), StartsWith("WARN multipath: "));
  test::FakePlaces::write(places_.kernel.etc + "/multipath/conf.d/tcmufs.conf", "");
  EXPECT_THAT(doctor_text(examine_multipath(places_)), StartsWith("OK multipath: multipathd runs"));
}

TEST_F(DoctorTest, TheUdevRulesMayBeInAnyOfTheirDirectories) {
  EXPECT_THAT(doctor_text(examine_udev(places_)), StartsWith("WARN udev: the rule 90"));
  test::FakePlaces::write(places_.udev_rules[1] + "/90-tcmufs.rules", "");
  EXPECT_THAT(doctor_text(examine_udev(places_)), StartsWith("WARN udev: the rule 59"));
  test::FakePlaces::write(places_.udev_rules[0] + "/59-tcmufs.rules", "");
  EXPECT_THAT(doctor_text(examine_udev(places_)), StartsWith("OK udev: "));
}

TEST_F(DoctorTest, MemoryCanBeLockedWithTheCapability) {
  test::FakePlaces::write(fake_.proc() + "/self/status", "Name:\tx\nCapEff:\t0000000000004000\n");
  EXPECT_THAT(doctor_text(examine_memory(places_)), StartsWith("OK memory: "));
}

TEST(JudgeSpace, ComparesWhatIsPromisedWithWhatIsFree) {
  constexpr u64 gib = u64{1} << 30;
  EXPECT_EQ(judge_space(gib, gib, 100 * gib).grade, Grade::ok);
  EXPECT_EQ(judge_space(3 * gib, 2 * gib, 100 * gib).grade, Grade::warn);
  EXPECT_EQ(judge_space(3 * gib, gib, 100 * gib).grade, Grade::fix);
  EXPECT_EQ(judge_space(0, 0, 100 * gib).grade, Grade::ok) << "full, but nothing will be written";
  EXPECT_THAT(judge_space(gib, 2 * gib, 4 * gib).sentence,
              StartsWith("2048 MiB of 4096 MiB are free, and 1024 MiB that"));
}

TEST(DoctorStore, CountsImagesAlsoInDirectoriesButNothingOfItsOwn) {
  const test::TemporaryDirectory store;
  std::filesystem::create_directories(std::string(store / "web"));
  std::filesystem::create_directories(std::string(store / ".tcmufs"));
  for (const char* image : {"db0", "web/disk0", ".tcmufs/new"}) {
    std::ofstream(store / image).flush();
    std::filesystem::resize_file(std::string(store / image), 512 << 20);
  }
  EXPECT_THAT(doctor_text(examine_space(store.path())), HasSubstr(" 1024 MiB that volumes have"));
}

TEST(DoctorStore, SaysWhatTheFileSystemCanDoAndLeavesNothing) {
  const test::TemporaryDirectory store;
  const std::string text = doctor_text(examine_store(store.path()));
  for (const char* topic : {" io_uring: ", " punch_hole: ", " direct: ", "OK reflink: "})
    EXPECT_THAT(text, HasSubstr(topic));
  EXPECT_TRUE(std::filesystem::is_empty(store.path()));
}

TEST_F(DoctorTest, WhatCannotBeLookedAtIsAFindingAndTheRestFollows) {
  tree_.fail_on("list core", EIO);
  const std::string text = doctor_text(examine(tree_, fake_.root() + "/missing", places_));
  EXPECT_THAT(text, HasSubstr("WARN others: it could not be looked at: "));
  EXPECT_THAT(text, HasSubstr("WARN store: it could not be looked at: "));
  EXPECT_THAT(text, HasSubstr("\nWARN udev: "));
}

}  // namespace
}  // namespace tcmufs::volume
