#include <sys/stat.h>

#include "registry_fixture.h"

namespace tcmufs::volume {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class ChangeAttributes : public RegistryTest {
 protected:
  static void chmod(ctlfs::Volume& volume, mode_t mode) {
    ctlfs::AttributeChange change;
    change.permissions = mode;
    volume.change(change);
  }
  mode_t mode_in_store(const std::string& path) {
    struct stat st {};
    EXPECT_EQ(::stat((store_ / path).c_str(), &st), 0);
    return st.st_mode & 07777;
  }
};

TEST_F(ChangeAttributes, AnIdleDiskWithoutAnyWriteBitIsMadeAnewWriteProtected) {
  auto volume = attached("db0");
  kernel_.taken_events();
  chmod(*volume, 0440);
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("gone db0", StartsWith("made read-only db0")));
  EXPECT_EQ(state(*volume), "ready\n");
  chmod(*volume, 0640);
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("gone db0", StartsWith("made db0")));
}

TEST_F(ChangeAttributes, AModeThatKeepsAWriteBitLeavesTheDiskAlone) {
  auto volume = attached("db0");
  kernel_.taken_events();
  for (const mode_t mode : {0600u, 0020u, 0002u, 0777u}) {
    chmod(*volume, mode);
    EXPECT_EQ(mode_in_store("db0"), mode);
  }
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
}

TEST_F(ChangeAttributes, OfAUsedDiskWriteProtectionIsRefusedAndTheModeStays) {
  auto volume = attached("db0");
  kernel_.taken_events();
  kernel_.used = {"db0"};
  EXPECT_THAT(refusal([&] { chmod(*volume, 0444); }, EBUSY), HasSubstr("is in use"));
  EXPECT_EQ(mode_in_store("db0"), 0644u);
  EXPECT_THAT(volume->control("last_error"), HasSubstr("is in use"));
  chmod(*volume, 0600);
  EXPECT_EQ(mode_in_store("db0"), 0600u);
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
}

TEST_F(ChangeAttributes, AFileWithSuchAModeBecomesAWriteProtectedDisk) {
  auto volume = create("db0", mib);
  chmod(*volume, 0444);
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
  volume->attach();
  EXPECT_THAT(kernel_.taken_events(), ElementsAre(StartsWith("made read-only db0")));
  volume.reset();
  start();
  registry_->bring_up();
  EXPECT_THAT(kernel_.taken_events(), testing::Contains(StartsWith("made read-only db0")));
}

TEST_F(ChangeAttributes, TheModeAndTheSettingEachSufficeForWriteProtection) {
  auto volume = attached("db0");
  volume->set_control("read_only", "1");
  kernel_.taken_events();
  chmod(*volume, 0444);
  EXPECT_THAT(kernel_.taken_events(), IsEmpty()) << "it is write-protected already";
  volume->set_control("read_only", "0");
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("gone db0", StartsWith("made read-only db0")));
  chmod(*volume, 0644);
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("gone db0", StartsWith("made db0")));
}

TEST_F(ChangeAttributes, ADiskThatCannotBeMadeWithTheModeHasTheOldOneAgain) {
  auto volume = attached("db0");
  kernel_.refuses_read_only = true;
  EXPECT_THAT(refusal([&] { chmod(*volume, 0444); }, ENODEV),
              AllOf(HasSubstr("cannot make 'db0' write-protected"),
                    HasSubstr("It is a disk again with what was set before")));
  EXPECT_EQ(mode_in_store("db0"), 0644u);
  EXPECT_EQ(state(*volume), "ready\n");
}

}  // namespace
}  // namespace tcmufs::volume
