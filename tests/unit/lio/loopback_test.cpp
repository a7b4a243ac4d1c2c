#include "lio/loopback.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "sys/error.h"
#include "unit/lio/volume_objects.h"

namespace tcmufs::test {
namespace {

using ::testing::HasSubstr;

const std::string naa = "loopback/" + volume_wwn;
const std::string tpgt = naa + "/tpgt_1";

template <typename Operation>
int error_of(Operation operation) {
  try {
    operation();
  } catch (const Failure& failure) {
    return failure.error();
  }
  return 0;
}

TEST(LoopbackTarget, HasANexusOfAnotherNameAndTheAddressOfTheKernel) {
  FakeConfigfs tree;
  const lio::LoopbackTarget target(tree, volume_wwn);
  EXPECT_EQ(target.path(), tpgt);
  EXPECT_EQ(target.address(), "0:0:1");
  const std::string nexus = tree.snapshot().at(tpgt + "/nexus");
  EXPECT_EQ(nexus, "naa.5001405000000009");
}

TEST(LoopbackTarget, LetsCommandsBeCompletedWhereTheyWereFinished) {
  FakeConfigfs tree;
  lio::LoopbackTarget made(tree, volume_wwn);
  EXPECT_EQ(tree.snapshot().at(naa + "/param/cmd_completion_affinity"), "-2");
  made.abandon();
  tree.write(naa + "/param/cmd_completion_affinity", "1");
  const lio::LoopbackTarget taken_over(tree, volume_wwn);
  EXPECT_EQ(tree.snapshot().at(naa + "/param/cmd_completion_affinity"), "1") << "somebody's choice";
}

TEST(LoopbackTarget, DoesWithoutThatWhereTheKernelHasNone) {
  FakeConfigfs tree;
  tree.fail_on("write " + naa + "/param/cmd_completion_affinity", ENOENT);
  const lio::LoopbackTarget target(tree, volume_wwn);
  EXPECT_NE(tree.snapshot().at(tpgt + "/nexus"), "");
}

TEST(LoopbackTarget, RefusesNamesThatAreNoNaa) {
  for (const char* wwn : {"", "naa.", "iqn.2003-01.org:x", "naa.500140500000000g", "naa.50014050000000011",
                          "naa.50014050000000/1", "eui.5001405000000001"}) {
    FakeConfigfs tree;
    EXPECT_EQ(error_of([&] { const lio::LoopbackTarget target(tree, wwn); }), EINVAL) << wwn;
    EXPECT_TRUE(tree.operations().empty());
  }
}

TEST(LoopbackTarget, MakesTheDirectoryOfTheFabricAndLeavesIt) {
  FakeConfigfs tree;
  const auto with_fabric = tree.snapshot();
  tree.remove_directory("loopback");
  { const lio::LoopbackTarget target(tree, volume_wwn); }
  EXPECT_EQ(tree.snapshot(), with_fabric);
}

TEST(LoopbackTarget, WaitsForTheFabricThatAnotherIsMaking) {
  FakeConfigfs tree;
  tree.make_fabric_slowly(5);
  const lio::LoopbackTarget target(tree, volume_wwn);
  EXPECT_TRUE(tree.exists(tpgt));
}

TEST(LoopbackTarget, TakesOverOneThatIsThere) {
  FakeConfigfs tree;
  const auto before = tree.snapshot();
  lio::LoopbackTarget first(tree, volume_wwn);
  first.abandon();
  const auto made = tree.snapshot();
  lio::LoopbackTarget second(tree, volume_wwn);
  EXPECT_EQ(second.address(), first.address());
  EXPECT_EQ(tree.snapshot(), made);
  second.remove();
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(LoopbackTarget, GivesATpgtWithoutNexusOne) {
  FakeConfigfs tree;
  tree.make_directory(naa);
  tree.make_directory(tpgt);
  lio::LoopbackTarget target(tree, volume_wwn);
  EXPECT_NE(tree.snapshot().at(tpgt + "/nexus"), "");
  target.remove();
  EXPECT_FALSE(tree.exists(naa));
}

TEST(LoopbackTarget, ThatWasThereAndCannotBeTakenOverStaysAsItWas) {
  FakeConfigfs tree;
  tree.make_directory(naa);
  tree.make_directory(tpgt);
  const auto before = tree.snapshot();
  tree.fail_on("write " + tpgt + "/nexus", ENOMEM);
  EXPECT_EQ(error_of([&] { const lio::LoopbackTarget target(tree, volume_wwn); }), ENOMEM);
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(LoopbackTarget, LeavesWhatOthersMadeBesideItsTpgt) {
  FakeConfigfs tree;
  tree.make_directory(naa);
  tree.make_directory(naa + "/tpgt_2");
  const auto before = tree.snapshot();
  { const lio::LoopbackTarget target(tree, volume_wwn); }
  EXPECT_EQ(tree.snapshot(), before);
  EXPECT_TRUE(tree.cleanup_failures().empty());
}

TEST(LoopbackTarget, WithALinkedLunRefusesToGoAndIsWhole) {
  FakeConfigfs tree;
  VolumeObjects volume(tree, 3);
  const auto before = tree.snapshot();
  try {
    volume.target.remove();
    FAIL() << "removed although linked";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBUSY);
    EXPECT_THAT(failure.what(), HasSubstr("lun_3"));
    EXPECT_THAT(failure.what(), HasSubstr(volume.backstore.path()));
  }
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(LoopbackTarget, RemovesTheLunDirectoriesThatLeadNowhere) {
  FakeConfigfs tree;
  const auto before = tree.snapshot();
  lio::LoopbackTarget target(tree, volume_wwn);
  tree.make_directory(tpgt + "/lun/lun_5");
  target.remove();
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(LoopbackTarget, GoesThoughTheKernelMiscountsItsLunsForEver) {
  FakeConfigfs tree;
  const auto before = tree.snapshot();
  tree.miss_scans(true);
  { const VolumeObjects volume(tree); }
  EXPECT_EQ(tree.snapshot(), before);
  EXPECT_EQ(count_of(tree, "write " + tpgt + "/nexus NULL"), 1);
  EXPECT_TRUE(tree.cleanup_failures().empty());
}

TEST(LoopbackTarget, RemovedBehindItsBackIsFine) {
  FakeConfigfs tree;
  lio::LoopbackTarget target(tree, volume_wwn);
  tree.remove_directory(tpgt);
  tree.remove_directory(naa);
  EXPECT_NO_THROW(target.remove());
}

TEST(Lun, IsAddressedBelowItsTarget) {
  FakeConfigfs tree;
  const VolumeObjects volume(tree, 300);
  EXPECT_EQ(volume.lun.address(), "0:0:1:300");
  EXPECT_EQ(tree.link_target(tpgt + "/lun/lun_300/" + volume_uuid), volume.backstore.path());
}

TEST(Lun, GoesUpTo16383) {
  FakeConfigfs tree;
  const lio::Backstore backstore(tree, volume_options());
  lio::LoopbackTarget target(tree, volume_wwn);
  EXPECT_EQ(error_of([&] { const lio::Lun lun(target, 16384, backstore); }), EINVAL);
  EXPECT_EQ(error_of([&] { const lio::Lun lun(target, 16383, backstore); }), 0);
}

TEST(Lun, ThatLeadsElsewhereIsNotTaken) {
  FakeConfigfs tree;
  add_foreign_objects(tree);
  const lio::Backstore backstore(tree, volume_options());
  lio::LoopbackTarget target(tree, volume_wwn);
  tree.make_directory(tpgt + "/lun/lun_0");
  tree.link("core/fileio_1/disk", tpgt + "/lun/lun_0/disk");
  const auto before = tree.snapshot();
  EXPECT_EQ(error_of([&] { const lio::Lun lun(target, 0, backstore); }), EBUSY);
  EXPECT_EQ(tree.snapshot(), before);
  tree.unlink(tpgt + "/lun/lun_0/disk");
}

TEST(Lun, TakesOverALinkOfAnotherName) {
  FakeConfigfs tree;
  const lio::Backstore backstore(tree, volume_options());
  lio::LoopbackTarget target(tree, volume_wwn);
  tree.make_directory(tpgt + "/lun/lun_0");
  tree.link(backstore.path(), tpgt + "/lun/lun_0/link");
  {
    const lio::Lun lun(target, 0, backstore);
    EXPECT_TRUE(lun.taken_over());
  }
  EXPECT_FALSE(tree.exists(tpgt + "/lun/lun_0"));
}

TEST(Lun, WhoseLinkIsGoneAlreadyIsRemoved) {
  FakeConfigfs tree;
  VolumeObjects volume(tree);
  tree.unlink(tpgt + "/lun/lun_0/" + volume_uuid);
  EXPECT_NO_THROW(volume.lun.remove());
  EXPECT_FALSE(tree.exists(tpgt + "/lun/lun_0"));
}

TEST(Lun, ThatTheKernelMissedIsLinkedAgain) {
  FakeConfigfs tree;
  VolumeObjects volume(tree);
  const auto before = tree.snapshot();
  volume.lun.relink();
  EXPECT_EQ(tree.snapshot(), before);
  const std::string link = tpgt + "/lun/lun_0/" + volume_uuid;
  EXPECT_EQ(count_of(tree, "link " + volume.backstore.path() + " " + link), 2);
  tree.fail_on("link ", ENODEV);
  EXPECT_EQ(error_of([&] { volume.lun.relink(); }), ENODEV);
  tree.revive();
  volume.remove();
  EXPECT_FALSE(tree.exists(naa));
}

TEST(Lun, OfOneTargetAreLinkedAndUnlinkedOneAtATime) {
  FakeConfigfs tree;
  lio::LoopbackTarget target(tree, volume_wwn);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  const auto scan = [&](const std::string&) {
    const int now = ++inside;
    if (now > most) most = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    --inside;
  };
  tree.on_link = scan;
  tree.on_unlink = scan;
  std::vector<std::thread> threads;
  for (u32 number = 0; number < 4; ++number) {
    threads.emplace_back([&, number] {
      const lio::Backstore backstore(tree, volume_options("volume-" + std::to_string(number)));
      const lio::Lun lun(target, number, backstore);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

TEST(Lun, OfDifferentTargetsDoNotWaitForEachOther) {
  FakeConfigfs tree;
  lio::LoopbackTarget slow(tree, "naa.5001405000000001");
  lio::LoopbackTarget quick(tree, "naa.5001405000000002");
  const lio::Backstore first(tree, volume_options("first"));
  const lio::Backstore second(tree, volume_options("second"));
  // The scan of the first LUN ends only after the second LUN has been linked in another target.
  tree.on_link = [&](const std::string& path) {
    if (path.find("first") == std::string::npos) return;
    std::thread other([&] { const lio::Lun lun(quick, 0, second); });
    other.join();
  };
  const lio::Lun lun(slow, 0, first);
  EXPECT_EQ(lun.address(), "0:0:1:0");
}

}  // namespace
}  // namespace tcmufs::test
