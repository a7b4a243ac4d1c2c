#include <gmock/gmock.h>

#include "lio/hba.h"
#include "sys/error.h"
#include "unit/lio/volume_objects.h"

namespace tcmufs::test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

int error_of(const lio::BackstoreOptions& options) {
  FakeConfigfs tree;
  const auto before = tree.snapshot();
  try {
    const lio::Backstore backstore(tree, options);
  } catch (const Failure& failure) {
    EXPECT_EQ(tree.snapshot(), before);
    EXPECT_TRUE(tree.operations().empty()) << "refused before the kernel is asked";
    return failure.error();
  }
  return 0;
}

// By a target of somebody else's.
const std::string elsewhere = "loopback/naa.6001405999999999";
void export_elsewhere(FakeConfigfs& tree, const std::string& device) {
  tree.make_directory(elsewhere);
  tree.make_directory(elsewhere + "/tpgt_1");
  tree.make_directory(elsewhere + "/tpgt_1/lun/lun_0");
  tree.link(device, elsewhere + "/tpgt_1/lun/lun_0/link");
}
void stop_export(FakeConfigfs& tree) {
  tree.unlink(elsewhere + "/tpgt_1/lun/lun_0/link");
}

TEST(Backstore, ConfiguresTheDeviceInOneWriteOfControl) {
  FakeConfigfs tree;
  lio::BackstoreOptions options = volume_options();
  options.max_sectors = 2048;
  const lio::Backstore backstore(tree, options);
  EXPECT_EQ(count_of(tree, "write " + backstore.path() +
                               "/control dev_size=1048576,dev_config=" + options.dev_config +
                               ",hw_block_size=512,hw_max_sectors=2048,data_pages_per_blk=16,nl_reply_"
                               "supported=-1,max_data_area_mb=8,"
                               "cmd_ring_size_mb=1"),
            1);
  const auto now = tree.snapshot();
  EXPECT_EQ(now.at(backstore.path() + "/attrib/cmd_time_out"), "0");
  EXPECT_EQ(count_of(tree, "write " + backstore.path() + "/attrib/qfull_time_out -1"), 1);
  EXPECT_EQ(now.at(backstore.path() + "/wwn/vpd_unit_serial"), "T10 VPD Unit Serial Number: " + volume_uuid);
  EXPECT_EQ(now.at(backstore.path() + "/enable"), "1");
}

TEST(Backstore, WithoutMaxSectorsLeavesTheDefaultOfTheKernel) {
  FakeConfigfs tree;
  const lio::Backstore backstore(tree, volume_options());
  EXPECT_EQ(tree.snapshot().at(backstore.path() + "/attrib/hw_max_sectors"), "128");
}

TEST(Backstore, IsEnabledLastSoThatOneThatIsEnabledIsComplete) {
  FakeConfigfs tree;
  const lio::Backstore backstore(tree, volume_options());
  EXPECT_EQ(tree.operations().back(), "write " + backstore.path() + "/enable 1");
}

TEST(Backstore, NamesItsUioAsTheKernelDoes) {
  FakeConfigfs tree;
  const lio::Backstore backstore(tree, volume_options());
  EXPECT_THAT(backstore.path(), MatchesRegex("core/user_[0-9]+/" + volume_uuid));
  const std::string number = backstore.path().substr(10, backstore.path().rfind('/') - 10);
  EXPECT_EQ(backstore.uio_name(),
            "tcm-user/" + number + "/" + volume_uuid + "/" + volume_options().dev_config);
  EXPECT_GE(std::stoul(number), lio::first_hba_number);
  EXPECT_LT(std::stoul(number), 1UL << 31);
}

TEST(Backstore, RefusesNamesThatAreNotGeneratedOnes) {
  for (const std::string& name :
       {std::string(), std::string("A"), std::string("a b"), std::string("a/b"), std::string(".."),
        std::string("a\nb"), std::string("\xc3\xa4"), std::string(64, 'a'), std::string("a\0b", 3)}) {
    lio::BackstoreOptions options = volume_options();
    options.name = name;
    EXPECT_EQ(error_of(options), EINVAL) << quoted(name);
  }
  lio::BackstoreOptions longest = volume_options();
  longest.name = std::string(63, 'a');
  EXPECT_EQ(error_of(longest), 0);
}

// The number of a UIO device is free before its name is.
TEST(Backstore, IsEnabledOnceTheNameOfItsUioDeviceIsFree) {
  FakeConfigfs tree;
  const std::size_t enabled = [] {
    FakeConfigfs before;
    const lio::Backstore backstore(before, volume_options());
    const auto all = before.operations();
    return static_cast<std::size_t>(
        std::find(all.begin(), all.end(), "write " + backstore.path() + "/enable 1") - all.begin());
  }();
  tree.fail_at(enabled, EEXIST);
  const lio::Backstore backstore(tree, volume_options());
  EXPECT_TRUE(tree.struck());
  EXPECT_EQ(count_of(tree, "write " + backstore.path() + "/enable 1"), 2);
  EXPECT_EQ(tree.snapshot().at(backstore.path() + "/enable"), "1");
}

TEST(Backstore, RefusesADevConfigThatCouldChangeTheControlString) {
  for (const std::string& dev_config :
       {std::string(), std::string("a,dev_size=1"), std::string("a\ndev_size=1"), std::string("a b"),
        std::string(256, 'a'), std::string("a\0b", 3)}) {
    lio::BackstoreOptions options = volume_options();
    options.dev_config = dev_config;
    EXPECT_EQ(error_of(options), EINVAL) << quoted(dev_config);
  }
  lio::BackstoreOptions longest = volume_options();
  longest.dev_config = std::string(255, 'a');
  EXPECT_EQ(error_of(longest), 0);
}

TEST(Backstore, RefusesAnEmptySerialBecauseReservationsWouldShareAFile) {
  for (const std::string& serial : {std::string(), std::string("a\nb"), std::string(254, 'a')}) {
    lio::BackstoreOptions options = volume_options();
    options.serial = serial;
    EXPECT_EQ(error_of(options), EINVAL) << quoted(serial);
  }
}

TEST(Backstore, TakesOverAnExportedDeviceAsItIs) {
  FakeConfigfs tree;
  lio::Backstore first(tree, volume_options());
  export_elsewhere(tree, first.path());
  first.abandon();
  const auto before = tree.snapshot();
  lio::BackstoreOptions grown = volume_options();
  grown.size_bytes *= 2;
  const lio::Backstore second(tree, grown);
  EXPECT_FALSE(first.taken_over());
  EXPECT_TRUE(second.taken_over());
  EXPECT_EQ(second.path(), first.path());
  EXPECT_EQ(second.uio_name(), first.uio_name());
  EXPECT_EQ(tree.snapshot(), before);
  stop_export(tree);
}

TEST(Backstore, ThatIsExportedNowhereIsMadeAnewBecauseNobodyKnowsWhatItHasBeenTold) {
  FakeConfigfs tree;
  lio::Backstore first(tree, volume_options());
  const auto before = tree.snapshot();
  tree.write(first.path() + "/pr/res_aptpl_metadata", "initiator_node=a,target_node=b,sa_res_key=1");
  first.abandon();
  const lio::Backstore second(tree, volume_options());
  EXPECT_FALSE(second.taken_over());
  EXPECT_EQ(second.path(), first.path());
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(Backstore, WithBlocksOfAnotherSizeIsNotTakenOverAndStays) {
  FakeConfigfs tree;
  lio::Backstore first(tree, volume_options());
  export_elsewhere(tree, first.path());
  first.abandon();
  const auto before = tree.snapshot();
  lio::BackstoreOptions options = volume_options();
  options.block_size_bytes = 4096;
  try {
    const lio::Backstore second(tree, options);
    FAIL() << "was taken over";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBUSY);
    EXPECT_THAT(failure.what(), HasSubstr("block_size to 512"));
  }
  EXPECT_EQ(tree.snapshot(), before);
  stop_export(tree);
}

TEST(Backstore, TakesOverOnAnyHba) {
  FakeConfigfs tree;
  const std::string device = "core/user_7/" + volume_uuid;
  tree.make_directory("core/user_7");
  tree.make_directory(device);
  tree.write(device + "/control", "hw_block_size=512,dev_config=" + volume_options().dev_config);
  tree.write(device + "/enable", "1");
  tree.write(device + "/attrib/qfull_time_out", "7");
  export_elsewhere(tree, device);
  lio::Backstore backstore(tree, volume_options());
  EXPECT_EQ(backstore.path(), device);
  EXPECT_EQ(backstore.uio_name(), "tcm-user/7/" + volume_uuid + "/" + volume_options().dev_config);
  EXPECT_EQ(tree.snapshot().at(device + "/attrib/qfull_time_out"), "-1") << "set again where it is another";
  stop_export(tree);
  backstore.remove();
  EXPECT_FALSE(tree.exists("core/user_7"));
}

TEST(Backstore, TakenOverWhileLinkedKeepsItsTimeOutUntouched) {
  FakeConfigfs tree;
  {
    VolumeObjects first(tree);
    first.abandon();
  }
  VolumeObjects second(tree);
  EXPECT_TRUE(second.backstore.taken_over());
  EXPECT_TRUE(second.lun.taken_over());
}

TEST(Backstore, OfTheSameNameButAnotherDevConfigIsSomebodyElses) {
  FakeConfigfs tree;
  tree.make_directory("core/user_7");
  tree.make_directory("core/user_7/" + volume_uuid);
  tree.write("core/user_7/" + volume_uuid + "/control", "dev_config=tcmufs/another/store");
  tree.write("core/user_7/" + volume_uuid + "/enable", "1");
  tree.make_directory("core/user_8");
  tree.make_directory("core/user_8/" +
                      volume_uuid);  // not configured yet, on an HBA that is not of our numbers
  const auto before = tree.snapshot();
  {
    const lio::Backstore backstore(tree, volume_options());
    EXPECT_FALSE(backstore.taken_over());
  }
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(Backstore, TakesTheNextNumberIfItsHbaIsInUse) {
  FakeConfigfs tree;
  std::string hba;
  {
    const lio::Backstore first(tree, volume_options());
    hba = first.path().substr(0, first.path().rfind('/'));
  }
  tree.make_directory(hba);
  tree.make_directory(hba + "/other");
  const auto before = tree.snapshot();
  {
    const lio::Backstore second(tree, volume_options());
    const auto number = *lio::user_hba_number(hba.substr(5));
    EXPECT_THAT(second.path(), HasSubstr("user_" + std::to_string(number + 1) + "/"));
  }
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(Backstore, IsMadeThoughItsEmptyHbaIsClearedAwayOnce) {
  FakeConfigfs tree;
  tree.fail_at(2, ENOENT);  // list core, mkdir HBA, mkdir device
  const lio::Backstore backstore(tree, volume_options());
  EXPECT_TRUE(tree.struck());
  EXPECT_EQ(tree.snapshot().at(backstore.path() + "/enable"), "1");
}

TEST(Backstore, OnAnHbaThatOthersShareLeavesItToTheLast) {
  FakeConfigfs tree;
  const auto before = tree.snapshot();
  lio::BackstoreOptions options = volume_options();
  options.hba = 30;
  {
    const lio::Backstore first(tree, options);
    EXPECT_EQ(first.path(), "core/user_30/" + options.name);
    lio::BackstoreOptions others = options;
    others.name = "another";
    { const lio::Backstore second(tree, others); }
    EXPECT_TRUE(tree.exists("core/user_30"));
  }
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(Backstore, OnASharedHbaDoesNotTakeADeviceOfAnother) {
  FakeConfigfs tree;
  lio::BackstoreOptions options = volume_options();
  options.hba = 30;
  tree.make_directory("core/user_30");
  tree.make_directory("core/user_30/" + options.name);
  tree.write("core/user_30/" + options.name + "/control", "dev_config=somebody/else");
  const auto before = tree.snapshot();
  try {
    const lio::Backstore backstore(tree, options);
    FAIL() << "taken";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EEXIST);
  }
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(Backstore, OnASharedHbaIsMadeAnewWhereACrashLeftItWithoutAName) {
  FakeConfigfs tree;
  lio::BackstoreOptions options = volume_options();
  options.hba = 30;
  tree.make_directory("core/user_30");
  tree.make_directory("core/user_30/" + options.name);
  const lio::Backstore backstore(tree, options);
  EXPECT_FALSE(backstore.taken_over());
  EXPECT_EQ(tree.snapshot().at(backstore.path() + "/enable"), "1");
}

TEST(Backstore, RemovedTwiceIsRemovedOnce) {
  FakeConfigfs tree;
  lio::Backstore backstore(tree, volume_options());
  backstore.remove();
  const auto operations = tree.operations().size();
  backstore.remove();
  EXPECT_EQ(tree.operations().size(), operations);
}

TEST(Backstore, ThatIsExportedElsewhereRefusesToGoAndCanBeRemovedLater) {
  FakeConfigfs tree;
  lio::Backstore backstore(tree, volume_options());
  lio::LoopbackTarget target(tree, volume_wwn);
  lio::Lun lun(target, 0, backstore);
  try {
    backstore.remove();
    FAIL() << "removed although linked";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBUSY);
  }
  lun.remove();
  backstore.remove();
  EXPECT_FALSE(tree.exists(backstore.path()));
}

TEST(HbaNumber, IsThatOfTargetCoreUserOnly) {
  EXPECT_EQ(lio::user_hba_number("user_17"), 17U);
  EXPECT_EQ(lio::user_hba_number("fileio_17"), std::nullopt);
  EXPECT_EQ(lio::user_hba_number("user_"), std::nullopt);
  EXPECT_EQ(lio::user_hba_number("user_1x"), std::nullopt);
  EXPECT_EQ(lio::user_hba_number("user_99999999999"), std::nullopt);
}

}  // namespace
}  // namespace tcmufs::test
