#include "lio/leftovers.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "lio/ring_resets.h"
#include "sys/error.h"
#include "unit/lio/volume_objects.h"

namespace tcmufs::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string volume_tpgt = "loopback/" + volume_wwn + "/tpgt_1";

std::string leave_volume(FakeConfigfs& tree) {
  VolumeObjects volume(tree);
  volume.abandon();
  return volume.backstore.path();
}

TEST(Leftovers, AreKnownByTheStoreInTheirDevConfig) {
  FakeConfigfs tree;
  add_foreign_objects(tree);
  const std::string ours = leave_volume(tree);
  lio::BackstoreOptions options = volume_options("other-volume");
  options.dev_config = "tcmufs/another-store/other-volume";
  lio::Backstore other(tree, options);
  EXPECT_THAT(lio::backstores_of(tree, store_uuid), ElementsAre(ours));
  EXPECT_THAT(lio::backstores_of(tree, store_uuid.substr(0, 8)), IsEmpty())
      << "a prefix of a uuid is no uuid";
  EXPECT_EQ(lio::dev_config_of(tree, ours), volume_options().dev_config);
}

TEST(Leftovers, HalfMadeOnesAreFoundToo) {
  FakeConfigfs tree;
  tree.make_directory("core/user_1234567");
  tree.make_directory("core/user_1234567/" + volume_uuid);
  tree.write("core/user_1234567/" + volume_uuid + "/control", "dev_config=" + volume_options().dev_config);
  EXPECT_THAT(lio::backstores_of(tree, store_uuid), ElementsAre("core/user_1234567/" + volume_uuid));
}

TEST(Leftovers, LinksAreThoseThatLeadToTheBackstore) {
  FakeConfigfs tree;
  add_foreign_objects(tree);
  const std::string backstore = leave_volume(tree);
  const auto links = lio::loopback_links_of(tree, backstore);
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links[0].path, volume_tpgt + "/lun/lun_0/" + volume_uuid);
  EXPECT_EQ(links[0].lun_directory(), volume_tpgt + "/lun/lun_0");
  EXPECT_EQ(links[0].tpgt(), volume_tpgt);
  EXPECT_THAT(lio::loopback_links_of(tree, "core/user_0/vol"), IsEmpty());
}

TEST(Leftovers, WithoutTheFabricThereAreNoLinks) {
  FakeConfigfs tree;
  tree.remove_directory("loopback");
  EXPECT_THAT(lio::loopback_links_of(tree, "core/user_0/vol"), IsEmpty());
}

TEST(Leftovers, AreRemovedCompletelyThoughNobodyServesTheRing) {
  FakeConfigfs tree;
  add_foreign_objects(tree);
  const auto before = tree.snapshot();
  const std::string backstore = leave_volume(tree);
  tree.serve_rings(false);
  lio::remove_leftover(tree, backstore);
  EXPECT_EQ(tree.snapshot(), before);
  EXPECT_GE(count_of(tree, "write " + backstore + "/action/reset_ring 2"), 1);
}

TEST(RingResets, LetAnUnlinkThatNobodyAnswersEnd) {
  FakeConfigfs tree;
  VolumeObjects volume(tree);
  tree.serve_rings(false);
  {
    const lio::RingResets resets(tree, volume.backstore.path());
    volume.lun.remove();
  }
  volume.remove();
  EXPECT_FALSE(tree.exists(volume.backstore.path()));
}

TEST(RingResets, OfADeviceThatWasNeverEnabledDoNothing) {
  FakeConfigfs tree;
  tree.make_directory("core/user_7");
  tree.make_directory("core/user_7/x");
  { const lio::RingResets resets(tree, "core/user_7/x"); }
  { const lio::RingResets resets(tree, "core/user_7/gone"); }
  EXPECT_TRUE(tree.exists("core/user_7/x"));
}

TEST(Leftovers, OfAKillAtAnyStepOfTheCreationAreRemovedCompletely) {
  std::size_t step = 0;
  int unnamed_steps = 0;
  for (bool struck = true; struck; ++step) {
    FakeConfigfs tree;
    add_foreign_objects(tree);
    const auto before = tree.snapshot();
    tree.kill_at(step);
    try {
      VolumeObjects volume(tree);
      volume.abandon();
    } catch (const Failure&) {
      ASSERT_LT(step, 200U);
    }
    struck = tree.struck();
    tree.revive();
    for (const std::string& backstore : lio::backstores_of(tree, store_uuid)) {
      lio::remove_leftover(tree, backstore, volume_wwn);
    }
    lio::remove_empty_hbas(tree);
    const auto after = tree.snapshot();
    const bool unnamed = std::any_of(after.begin(), after.end(), [&](const auto& node) {
      return node.first.ends_with(volume_uuid + "/attrib/dev_config") && node.second.empty();
    });
    // Killed before its dev_config was written, it bears no sign of the store: only its volume finds it.
    unnamed_steps += unnamed ? 1 : 0;
    EXPECT_TRUE(unnamed || after == before) << "step " << step;
  }
  EXPECT_GT(step, 15U);
  EXPECT_EQ(unnamed_steps, 1);
}

TEST(Leftovers, OfAKillAtAnyStepOfTheRemovalAreRemovedCompletely) {
  std::size_t step = 0;
  for (bool struck = true; struck; ++step) {
    FakeConfigfs tree;
    const auto before = tree.snapshot();
    const std::string backstore = leave_volume(tree);
    tree.kill_at(step);
    try {
      lio::remove_leftover(tree, backstore, volume_wwn);
    } catch (const Failure&) {
      ASSERT_LT(step, 200U);
    }
    struck = tree.struck();
    tree.revive();
    lio::remove_leftover(tree, backstore, volume_wwn);
    EXPECT_EQ(tree.snapshot(), before) << "step " << step;
  }
  EXPECT_GT(step, 8U);
}

TEST(Leftovers, OfATargetThatOthersUseLeaveTheTarget) {
  FakeConfigfs tree;
  lio::Backstore staying(tree, volume_options("staying"));
  lio::LoopbackTarget target(tree, volume_wwn);
  lio::Lun lun(target, 0, staying);
  const auto before = tree.snapshot();
  lio::Backstore going(tree, volume_options("going"));
  {
    lio::Lun second(target, 1, going);
    second.abandon();
  }
  going.abandon();
  lio::remove_leftover(tree, going.path());
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(Leftovers, ThatAnotherFabricExportsAreRefused) {
  FakeConfigfs tree;
  const std::string backstore = leave_volume(tree);
  tree.fail_on("rmdir " + backstore, EBUSY);
  try {
    lio::remove_leftover(tree, backstore);
    FAIL() << "no failure";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBUSY);
  }
}

TEST(Leftovers, OfManyVolumesAllAreRemovedAlsoFromATargetTheyShare) {
  FakeConfigfs tree;
  add_foreign_objects(tree);
  const auto before = tree.snapshot();
  std::vector<lio::Leftover> leftovers;
  {
    lio::LoopbackTarget shared(tree, "naa.5001405000000002");
    for (u32 lun = 0; lun < 8; ++lun) {
      lio::Backstore backstore(tree, volume_options("volume-" + std::to_string(lun)));
      lio::Lun link(shared, lun, backstore);
      link.abandon();
      backstore.abandon();
      leftovers.push_back({backstore.path(), ""});
    }
    shared.abandon();
  }
  leftovers.push_back({leave_volume(tree), volume_wwn});
  tree.serve_rings(false);
  std::multiset<std::size_t> done;
  lio::remove_leftovers(tree, leftovers, [&](std::size_t at, const std::string& problem) {
    EXPECT_EQ(problem, "");
    done.insert(at);
  });
  EXPECT_EQ(tree.snapshot(), before);
  EXPECT_THAT(done, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(Leftovers, OfManyThoseThatCannotBeRemovedAreSaidAndTheOthersGo) {
  FakeConfigfs tree;
  const std::string stays = leave_volume(tree);
  lio::Backstore going(tree, volume_options("going"));
  going.abandon();
  tree.fail_on("rmdir " + stays, EBUSY);
  std::map<std::size_t, std::string> problems;
  lio::remove_leftovers(tree, {{stays, ""}, {going.path(), ""}},
                        [&](std::size_t at, const std::string& problem) { problems[at] = problem; });
  EXPECT_THAT(problems, ElementsAre(testing::Pair(0, testing::HasSubstr("EBUSY")), testing::Pair(1, "")));
  EXPECT_FALSE(tree.exists(going.path()));
}

TEST(Leftovers, TargetsWithoutALunAreOursByTheirNamesOrTheirMarks) {
  FakeConfigfs tree;
  add_foreign_objects(tree);
  leave_volume(tree);  // has a LUN
  const auto make = [&](const std::string& wwn, const std::string& nexus) {
    tree.make_directory("loopback/" + wwn);
    tree.make_directory("loopback/" + wwn + "/tpgt_1");
    if (!nexus.empty()) tree.write("loopback/" + wwn + "/tpgt_1/nexus", nexus);
  };
  make("naa.5001405000000005", "naa.5001405000000006");  // somebody else's initiator
  make("naa.5001405000000007", "");                      // nobody's
  const auto before = tree.snapshot();
  make("naa.5001405000000003", "naa.500140500000000b");
  make("naa.5001405000000004", "");
  tree.write("loopback/naa.5001405000000004/param/cmd_completion_affinity", "-2");
  EXPECT_THAT(lio::remove_stray_targets(tree), ElementsAre("naa.5001405000000003", "naa.5001405000000004"));
  EXPECT_EQ(tree.snapshot(), before);
}

TEST(Leftovers, EmptyHbasAreRemovedOnlyInOurRangeOfNumbers) {
  FakeConfigfs tree;
  add_foreign_objects(tree);
  const std::string used = leave_volume(tree);
  const auto before = tree.snapshot();
  tree.make_directory("core/user_1000000");
  tree.make_directory("core/user_1999999999");
  lio::remove_empty_hbas(tree);
  EXPECT_EQ(tree.snapshot(), before);
}

}  // namespace
}  // namespace tcmufs::test
