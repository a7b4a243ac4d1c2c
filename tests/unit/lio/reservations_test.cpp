#include "lio/reservations.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "sys/error.h"
#include "unit/lio/fake_places.h"
#include "unit/lio/volume_objects.h"

namespace tcmufs::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string own = "naa.5001405000000009 -> naa.5001405000000001,1 lun 0";

std::string registration(const std::string& initiator, const std::string& target, int lun, int key,
                         const std::string& more = "res_holder=0\n") {
  const std::string number = std::to_string(lun);
  return "PR_REG_START: 0\ninitiator_fabric=loopback\ninitiator_node=" + initiator +
         "\nsa_res_key=" + std::to_string(key) + "\n" + more + "res_all_tg_pt=0\nmapped_lun=" + number +
         "\ntarget_fabric=loopback\ntarget_node=" + target + "\ntpgt=1\nport_rtpi=1\ntarget_lun=" + number +
         "\nPR_REG_END: 0\n";
}
std::string own_registration(const std::string& more = "res_holder=0\n") {
  return registration("naa.5001405000000009", volume_wwn, 0, 170, more);
}
const std::string foreign_registration = registration("naa.1", "naa.2", 0, 187);

/// A kernel that keeps registrations in a directory of the test.
struct Reservations : ::testing::Test {
  Reservations() {
    std::filesystem::create_directory(dbroot() + "/pr");
    tree.write("dbroot", dbroot());
  }
  std::string dbroot() const { return places.root(); }
  std::string file() const { return dbroot() + "/pr/aptpl_" + volume_uuid; }
  void keep(const std::string& text) const { std::ofstream(file()) << text << '\0'; }
  std::string in_force(const lio::Backstore& backstore) {
    return tree.snapshot().at(backstore.path() + "/pr/res_pr_registered_i_pts");
  }
  std::string waiting(const lio::Backstore& backstore) {
    return tree.snapshot().at(backstore.path() + "/pr/res_aptpl_metadata");
  }

  FakePlaces places;
  FakeConfigfs tree;
};

TEST_F(Reservations, AreThereBeforeAnybodyCanSendACommand) {
  keep(own_registration("res_holder=1\nres_type=05\nres_scope=00\n") + foreign_registration);
  const VolumeObjects volume(tree);
  EXPECT_EQ(volume.lun.lost_reservations(), "");
  EXPECT_EQ(in_force(volume.backstore), own + " key 170 holds type 5\n");
  EXPECT_EQ(waiting(volume.backstore), "naa.1 -> naa.2,1 lun 0 key 187\n") << "those wait for their nexus";
}

TEST_F(Reservations, OfEveryTypeAreRestored) {
  for (const char* type : {"01", "03", "05", "06", "07", "08"}) {
    keep(own_registration("res_holder=1\nres_type=" + std::string(type) + "\nres_scope=00\n"));
    const VolumeObjects volume(tree);
    EXPECT_EQ(volume.lun.lost_reservations(), "") << type;
    EXPECT_EQ(in_force(volume.backstore), own + " key 170 holds type " + std::string(1, type[1]) + "\n");
  }
}

TEST_F(Reservations, OfOthersAreNotInherited) {
  keep(own_registration());
  std::filesystem::rename(file(), file() + "0");
  const VolumeObjects volume(tree);
  EXPECT_EQ(in_force(volume.backstore) + waiting(volume.backstore), "");
}

TEST_F(Reservations, OfAVolumeThatIsTakenOverAreLeftAsTheyAre) {
  keep(own_registration());
  {
    VolumeObjects first(tree);
    first.abandon();
  }
  const auto before = tree.snapshot();
  VolumeObjects second(tree);
  EXPECT_TRUE(second.lun.taken_over());
  EXPECT_EQ(tree.snapshot(), before);
}

TEST_F(Reservations, AreGivenOnceThoughTheDaemonWasKilledAtAnyStep) {
  keep(own_registration() + foreign_registration);
  for (std::size_t step = 0;; ++step) {
    tree.kill_at(step);
    try {
      VolumeObjects volume(tree);
      volume.abandon();
    } catch (const Failure&) {
      EXPECT_TRUE(tree.struck());
    }
    const bool struck = tree.struck();
    tree.revive();
    VolumeObjects next(tree);
    EXPECT_EQ(in_force(next.backstore), own + " key 170\n") << "step " << step;
    EXPECT_EQ(waiting(next.backstore), "naa.1 -> naa.2,1 lun 0 key 187\n") << "step " << step;
    if (!struck) break;
    ASSERT_LT(step, 100U);
  }
}

TEST_F(Reservations, OfADiskThatTheKernelMissedAreGivenAgainAndThoseOfOthersNot) {
  keep(own_registration() + foreign_registration);
  VolumeObjects volume(tree);
  volume.lun.relink();
  EXPECT_EQ(in_force(volume.backstore), own + " key 170\n");
  EXPECT_EQ(waiting(volume.backstore), "naa.1 -> naa.2,1 lun 0 key 187\n");
}

TEST_F(Reservations, OfTheMachineItselfFollowAVolumeToAnotherTargetAndLun) {
  keep(registration("naa.500140500000000a", "naa.5001405000000002", 7, 170) + foreign_registration);
  const VolumeObjects volume(tree, 3);
  EXPECT_EQ(in_force(volume.backstore), "naa.5001405000000009 -> naa.5001405000000001,1 lun 3 key 170\n");
  EXPECT_EQ(waiting(volume.backstore), "naa.1 -> naa.2,1 lun 0 key 187\n");
}

TEST_F(Reservations, OfAnotherTargetDoNotFollowIfTheNexusHasOneOfItsOwn) {
  keep(own_registration() + registration("naa.500140500000000a", "naa.5001405000000002", 0, 171));
  const VolumeObjects volume(tree);
  EXPECT_EQ(in_force(volume.backstore), own + " key 170\n");
  EXPECT_EQ(waiting(volume.backstore), "naa.500140500000000a -> naa.5001405000000002,1 lun 0 key 171\n");
}

TEST_F(Reservations, OfTwoTargetsFollowNowhere) {
  keep(registration("naa.500140500000000a", "naa.5001405000000002", 0, 171) +
       registration("naa.500140500000000b", "naa.5001405000000003", 0, 172));
  const VolumeObjects volume(tree);
  EXPECT_EQ(in_force(volume.backstore), "");
}

TEST_F(Reservations, ThatCannotBeReadKeepNoVolumeFromComingUpAndAreNamed) {
  keep("PR_REG_START: 0\nsa_res_key=1\nPR_REG_END: 0\n" + own_registration());
  const VolumeObjects volume(tree);
  EXPECT_THAT(
      volume.lun.lost_reservations(),
      AllOf(HasSubstr("could not all be restored from '" + file() + "'"),
            HasSubstr("the registration in line 1 has no 'initiator_node'"), HasSubstr("register again")));
  EXPECT_EQ(in_force(volume.backstore), own + " key 170\n");
}

TEST_F(Reservations, OfWhichManyCannotBeReadMakeNoLongSentence) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "PR_REG_START: 0\nPR_REG_END: 0\n";
  keep(text);
  const VolumeObjects volume(tree);
  EXPECT_THAT(volume.lun.lost_reservations(), HasSubstr("in line 5 has no 'initiator_node'; and 97 more. "));
}

TEST_F(Reservations, ThatAreNoFileAreNamed) {
  std::filesystem::create_directory(file());
  const VolumeObjects volume(tree);
  EXPECT_THAT(volume.lun.lost_reservations(), HasSubstr("it is no regular file"));
  std::filesystem::remove(file());
  std::filesystem::create_symlink("/dev/zero", file());
  const VolumeObjects linked(tree, 1);
  EXPECT_THAT(linked.lun.lost_reservations(), HasSubstr("it is no regular file"));
}

TEST_F(Reservations, ThatAreTooLongAreNamed) {
  keep(own_registration());
  std::filesystem::resize_file(file(), (4 << 20) + 1);
  const VolumeObjects volume(tree);
  EXPECT_THAT(volume.lun.lost_reservations(), HasSubstr("more than 4194304 bytes"));
}

TEST_F(Reservations, ThatTheKernelRefusesKeepNoVolumeFromComingUp) {
  keep(own_registration());
  const std::string device = lio::Backstore(tree, volume_options()).path();
  tree.fail_on("write " + device + "/pr/res_aptpl_metadata", EINVAL);
  const VolumeObjects volume(tree);
  EXPECT_THAT(volume.lun.lost_reservations(), HasSubstr("res_aptpl_metadata"));
  EXPECT_TRUE(tree.exists("loopback/" + volume_wwn + "/tpgt_1/lun/lun_0/" + volume_uuid));
}

TEST_F(Reservations, OfAVolumeThatIsNoMoreAreRemoved) {
  keep(own_registration());
  std::ofstream(dbroot() + "/pr/aptpl_other") << "x";
  lio::forget_reservations(tree, volume_uuid);
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_TRUE(std::filesystem::exists(dbroot() + "/pr/aptpl_other"));
  EXPECT_NO_THROW(lio::forget_reservations(tree, volume_uuid)) << "there are none any more";
  std::filesystem::create_directory(file());
  try {
    lio::forget_reservations(tree, volume_uuid);
    FAIL() << "a directory was removed";
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what(), HasSubstr(file()));
  }
}

TEST_F(Reservations, NeedADirectoryThatIsThere) {
  EXPECT_EQ(lio::reservations_trouble(dbroot() + "/pr"), "");
  EXPECT_THAT(lio::reservations_trouble(dbroot() + "/none"),
              AllOf(HasSubstr("cannot keep persistent reservations in '" + dbroot() + "/none'"),
                    HasSubstr("ENOENT"), HasSubstr("Disks work")));
}

}  // namespace
}  // namespace tcmufs::test
