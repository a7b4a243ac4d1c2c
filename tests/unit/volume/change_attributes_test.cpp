#include <sys/stat.h>

#include "registry_fixture.h"

namespace tcmufs::volume {
namespace {

using testing::AllOf;
using testing::Each;
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
  static void chown(ctlfs::Volume& volume, std::optional<uid_t> uid, std::optional<gid_t> gid) {
    ctlfs::AttributeChange change;
    change.uid = uid;
    change.gid = gid;
    volume.change(change);
  }
  // As who is no root may call it: to itself.
  std::string ids() const { return std::to_string(::geteuid()) + ":" + std::to_string(::getegid()); }
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
  EXPECT_THAT(kernel_.taken_events(), Each(StartsWith("gave db0")));
}

TEST_F(ChangeAttributes, OwnerAndModeReachTheNodesOfADisk) {
  auto volume = attached("db0");
  const lio::FileOwner made_with = kernel_.options.at("db0").owner;
  EXPECT_EQ(made_with, (lio::FileOwner{::geteuid(), ::getegid(), 0644}));
  kernel_.taken_events();
  chmod(*volume, 0660);
  chown(*volume, ::geteuid(), std::nullopt);
  chown(*volume, std::nullopt, ::getegid());
  EXPECT_THAT(kernel_.taken_events(), testing::SizeIs(3));
  chmod(*volume, 0604);
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("gave db0 to " + ids() + " 604"));
  auto file = create("file", mib);
  chmod(*file, 0600);
  chown(*file, ::geteuid(), std::nullopt);
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
}

TEST_F(ChangeAttributes, WhatTheNodesCannotHaveTheFileHasNotEither) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  auto volume = attached("db0");
  kernel_.refuses_owners = true;
  refusal([&] { chmod(*volume, 0600); }, ENODEV);
  EXPECT_EQ(mode_in_store("db0"), 0644u);
  refusal([&] { chown(*volume, 1001, 2002); }, ENODEV);
  EXPECT_EQ(volume->attributes().uid, 0u);
  EXPECT_EQ(volume->attributes().gid, 0u);
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
  EXPECT_THAT(kernel_.taken_events(), ElementsAre(StartsWith("gave db0")));
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
  EXPECT_THAT(kernel_.taken_events(), ElementsAre(StartsWith("gave db0"))) << "it is write-protected already";
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
