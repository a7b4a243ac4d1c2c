// What becomes of a volume whose settings change.

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "registry_fixture.h"
#include "sys/text_file.h"

namespace tcmufs::volume {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ChangeSettings : public RegistryTest {
 protected:
  std::string recorded(const std::string& path = "db0") {
    const std::string file = store_ / (".tcmufs/records/" + path);
    const Settings settings = Record::parse(read_text(file), file).settings;
    return std::to_string(settings.block_size_bytes) + "/" +
           std::to_string(settings.physical_block_size_bytes);
  }
  static std::string set_to(ctlfs::Volume& volume) {
    return volume.control("block_size") + volume.control("physical_block_size");
  }
  /// From now on nothing can be written to the store's own directory.
  void break_store() { ASSERT_EQ(::mkdir((store_ / ".tcmufs/new").c_str(), 0700), 0); }
  void mend_store() { ASSERT_EQ(::rmdir((store_ / ".tcmufs/new").c_str()), 0); }
};

TEST_F(ChangeSettings, OfAPendingVolumeAreKeptAndShown) {
  auto volume = create("db0");
  EXPECT_EQ(set_to(*volume), "512\n4096\n");
  volume->set_control("block_size", "4096");
  EXPECT_EQ(set_to(*volume), "4096\n4096\n");
  EXPECT_EQ(recorded(), "4096/4096");
  EXPECT_EQ(state(*volume), "pending\n");
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
  volume->resize(mib, maker);
  volume->attach();
  EXPECT_EQ(kernel_.blocks["db0"], "4096/4096");
  volume.reset();
  start();
  registry_->bring_up();
  EXPECT_EQ(kernel_.blocks["db0"], "4096/4096");
  EXPECT_EQ(set_to(*registry_->entries()[0].volume), "4096\n4096\n");
}

TEST_F(ChangeSettings, SomeAUsedDiskIsGivenAsItIs) {
  auto volume = attached("db0");
  kernel_.used = {"db0"};
  kernel_.taken_events();
  volume->set_control("queue_depth", "32");
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("tuned db0 to a depth of 32"));
  EXPECT_EQ(volume->control("queue_depth"), "32\n");
  kernel_.refuses = "db0";
  EXPECT_THAT(refusal([&] { volume->set_control("queue_depth", "64"); }, EIO),
              HasSubstr("cannot tune 'db0'"));
  EXPECT_EQ(volume->control("queue_depth"), "32\n");
  EXPECT_EQ(state(*volume), "ready\n");
  kernel_.refuses.clear();
  kernel_.used.clear();
  volume.reset();
  start();
  EXPECT_EQ(registry_->entries()[0].volume->control("queue_depth"), "32\n");
}

TEST_F(ChangeSettings, WhatCannotBeKeptAUsedDiskIsNotLeftWith) {
  auto volume = attached("db0");
  kernel_.taken_events();
  break_store();
  refusal([&] { volume->set_control("queue_depth", "32"); }, EISDIR);
  mend_store();
  EXPECT_THAT(kernel_.taken_events(),
              ElementsAre("tuned db0 to a depth of 32", "tuned db0 to a depth of 1024"));
  EXPECT_EQ(volume->control("queue_depth"), "1024\n");
}

TEST_F(ChangeSettings, ADiskIsMadeWithThem) {
  auto volume = create("db0");
  volume->set_control("read_only", "1");
  volume->set_control("write_cache", "0");
  volume->set_control("vendor", "ACME");
  volume->set_control("discard", "0");
  volume->set_control("serial", "S1");
  volume->set_control("cmd_timeout", "30");
  volume->resize(mib, maker);
  volume->attach();
  EXPECT_THAT(kernel_.taken_events().at(0), StartsWith("made read-only db0"));
  EXPECT_EQ(kernel_.options.at("db0").format.write_cache, false);
  EXPECT_EQ(kernel_.options.at("db0").settings.vendor, "ACME");
  EXPECT_EQ(kernel_.options.at("db0").format.thin, false);
  EXPECT_EQ(kernel_.options.at("db0").settings.serial, "S1");
  EXPECT_EQ(kernel_.options.at("db0").settings.cmd_timeout_s, 30u);
  volume->set_control("read_only", "0");
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("gone db0", StartsWith("made db0")));
}

TEST_F(ChangeSettings, DirectWhereTheStoreCannotIsRefusedAndNothingChanges) {
  auto volume = attached("db0");
  const int probe = ::open((store_ / "db0").c_str(), O_RDWR | O_DIRECT);
  if (probe >= 0) {
    ::close(probe);
    volume->set_control("direct", "1");
    EXPECT_EQ(volume->control("direct"), "1\n");
    return;
  }
  EXPECT_THAT(refusal([&] { volume->set_control("direct", "1"); }, EINVAL),
              AllOf(HasSubstr("has no O_DIRECT"), HasSubstr("It is a disk again with what was set before")));
  EXPECT_EQ(volume->control("direct"), "0\n");
  EXPECT_EQ(state(*volume), "ready\n");
}

TEST_F(ChangeSettings, OfAnIdleDiskMakeItAnewWithSameIdentityPathAndLun) {
  auto volume = attached("db0");
  const std::string uuid = volume->control("uuid");
  const std::string made = kernel_.taken_events().at(0);
  write(*volume, 0, std::string(512, 'd'), maker);
  volume->attach();
  kernel_.taken_events();
  volume->set_control("physical_block_size", "512");
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("gone db0", made));
  EXPECT_EQ(kernel_.blocks["db0"], "512/512");
  EXPECT_EQ(volume->control("uuid"), uuid);
  EXPECT_THAT(registry_->status_table(""), HasSubstr("/tcmufs/db0"));
  EXPECT_EQ(read_text(store_ / "db0").substr(0, 512), std::string(512, 'd'));
  volume->set_control("block_size", "4096");
  EXPECT_EQ(kernel_.blocks["db0"], "4096/4096");
  EXPECT_EQ(recorded(), "4096/4096");
}

TEST_F(ChangeSettings, AreRecordedOnlyWhileThereIsNoDisk) {
  auto volume = attached("db0");
  std::vector<std::string> at;
  kernel_.on_event = [&](const std::string& event) { at.push_back(event.substr(0, 4) + " " + recorded()); };
  volume->set_control("block_size", "4096");
  EXPECT_THAT(at, ElementsAre("gone 512/4096", "made 4096/4096"));
  at.clear();
  kernel_.refuses_blocks_of = 512;
  refusal([&] { volume->set_control("block_size", "512"); }, ENODEV);
  EXPECT_THAT(at, ElementsAre("gone 4096/4096", "made 4096/4096"));
  kernel_.on_event = nullptr;
}

TEST_F(ChangeSettings, OfAUsedDiskAreRefusedAndSayByWhom) {
  auto volume = attached("db0");
  kernel_.taken_events();
  kernel_.used = {"db0"};
  EXPECT_THAT(refusal([&] { volume->set_control("block_size", "4096"); }, EBUSY),
              HasSubstr("mounted on '/srv'"));
  EXPECT_THAT(volume->control("last_error"), HasSubstr("mounted on '/srv'"));
  EXPECT_EQ(registry_->control("last_error"), volume->control("last_error"));
  EXPECT_EQ(set_to(*volume), "512\n4096\n");
  EXPECT_EQ(recorded(), "512/4096");
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
}

TEST_F(ChangeSettings, AValueThatIsSetAlreadyChangesNothingAlsoWhileUsed) {
  auto volume = attached("db0");
  kernel_.used = {"db0"};
  kernel_.taken_events();
  volume->set_control("block_size", "512");
  volume->set_control("physical_block_size", "4096");
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
}

TEST_F(ChangeSettings, ThereAreNotAreRefused) {
  auto volume = attached("db0");
  kernel_.taken_events();
  EXPECT_THAT(refusal([&] { volume->set_control("block_size", "520"); }, EINVAL),
              HasSubstr("cannot set block_size of 'db0' to '520'"));
  volume->set_control("physical_block_size", "4096");
  refusal([&] { volume->set_control("colour", "red"); }, ENOENT);
  refusal([&] { volume->set_control("size", "4096"); }, ENOENT);
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
}

TEST_F(ChangeSettings, ThatDoNotFitTheSizeAreRefusedWithASizeThatFits) {
  auto volume = attached("db0", 4096 + 512);
  EXPECT_THAT(refusal([&] { volume->set_control("block_size", "4096"); }, EINVAL),
              AllOf(HasSubstr("its size of 4608 is no multiple"), HasSubstr("size of 8192 bytes first")));
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_EQ(set_to(*volume), "512\n4096\n");
  volume->resize(8192, other);
  volume->set_control("block_size", "4096");
  EXPECT_EQ(kernel_.blocks["db0"], "4096/4096");
}

TEST_F(ChangeSettings, WithWhichNoDiskCanBeMadeGoBackAndSoDoesTheDisk) {
  auto volume = attached("db0");
  kernel_.refuses_blocks_of = 4096;
  kernel_.taken_events();
  EXPECT_THAT(
      refusal([&] { volume->set_control("block_size", "4096"); }, ENODEV),
      AllOf(HasSubstr("cannot set block_size of 'db0' to '4096'"), HasSubstr("no disk with such blocks"),
            HasSubstr("It is a disk again with what was set before")));
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("gone db0", StartsWith("made db0 of 1048576")));
  EXPECT_EQ(kernel_.blocks["db0"], "512/4096");
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_EQ(set_to(*volume), "512\n4096\n");
  EXPECT_EQ(recorded(), "512/4096");
  EXPECT_THAT(volume->control("last_error"), HasSubstr("no disk with such blocks"));
}

TEST_F(ChangeSettings, WithWhichNoDiskCanBeMadeAnyMoreSaySoTwice) {
  auto volume = attached("db0");
  kernel_.refuses = "db0";
  EXPECT_THAT(refusal([&] { volume->set_control("block_size", "4096"); }, ENODEV),
              AllOf(HasSubstr("because then it cannot become a disk"),
                    HasSubstr("could not be made a disk again with what was set before either")));
  EXPECT_EQ(state(*volume), "failed\n");
  EXPECT_EQ(recorded(), "512/4096");
  kernel_.refuses.clear();
  volume->attach();
  EXPECT_EQ(kernel_.blocks["db0"], "512/4096");
}

TEST_F(ChangeSettings, ThatCannotBeKeptAreNotSet) {
  auto volume = attached("db0");
  auto pending = create("db1");
  break_store();
  EXPECT_THAT(refusal([&] { volume->set_control("block_size", "4096"); }, EISDIR), HasSubstr("'db0'"));
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_EQ(kernel_.blocks["db0"], "512/4096");
  refusal([&] { pending->set_control("block_size", "4096"); }, EISDIR);
  mend_store();
  EXPECT_EQ(set_to(*volume) + set_to(*pending), "512\n4096\n512\n4096\n");
  EXPECT_EQ(recorded("db0") + " " + recorded("db1"), "512/4096 512/4096");
}

TEST_F(ChangeSettings, OfAVolumeThatFailedMakeItADisk) {
  auto volume = create("db0");
  volume->set_control("block_size", "4096");
  write(*volume, 0, std::string(512, 'i'), maker);
  EXPECT_THAT(refusal([&] { volume->attach(); }, EINVAL),
              AllOf(HasSubstr("no multiple of its block size of 4096"), HasSubstr("can have is 4096"),
                    HasSubstr("echo 512 > .ctl/vol/db0/block_size")));
  EXPECT_EQ(state(*volume), "failed\n");
  volume->set_control("block_size", "512");
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_EQ(volume->control("last_error"), "");
  EXPECT_EQ(kernel_.blocks["db0"], "512/4096");
}

TEST_F(ChangeSettings, OfAVolumeThatFailsAgainAreSetAllTheSame) {
  kernel_.refuses = "db0";
  auto volume = create("db0", mib);
  refusal([&] { volume->attach(); }, ENODEV);
  volume->set_control("block_size", "4096");
  EXPECT_EQ(recorded(), "4096/4096");
  EXPECT_EQ(state(*volume), "failed\n");
  EXPECT_THAT(volume->control("last_error"), HasSubstr("no disk for 'db0'"));
}

TEST_F(ChangeSettings, OfADiskThatADeadDaemonLeftAndThatIsNotTakenOverStay) {
  auto volume = create("db0", mib);
  leftovers_ = {*Uuid::parse(volume->control("uuid").substr(0, 36))};
  kernel_.refuses_blocks_of = 512;
  refusal([&] { volume->attach(); }, ENODEV);
  kernel_.refuses_blocks_of = 4096;
  refusal([&] { volume->set_control("block_size", "4096"); }, ENODEV);
  EXPECT_EQ(recorded(), "512/4096");
  EXPECT_EQ(state(*volume), "ready\n");  // it was worth another try
}

TEST_F(ChangeSettings, OfARemovedVolumeAreRefused) {
  auto volume = create("db0", mib);
  registry_->remove("db0");
  refusal([&] { volume->set_control("block_size", "4096"); }, ENOENT);
  EXPECT_FALSE(path_exists(store_ / ".tcmufs/records/db0"));
}

TEST_F(ChangeSettings, OfAVolumeWithABrokenRecordAreRefused) {
  create("bad", mib);
  std::ofstream(store_ / ".tcmufs/records/bad") << "{";
  start();
  refusal([&] { registry_->entries()[0].volume->set_control("block_size", "4096"); }, EIO);
  EXPECT_EQ(read_text(store_ / ".tcmufs/records/bad"), "{");
}

TEST_F(ChangeSettings, GoAlongWithARename) {
  auto volume = attached("db0");
  registry_->rename("db0", "db1");
  volume->set_control("block_size", "4096");
  EXPECT_EQ(recorded("db1"), "4096/4096");
  EXPECT_FALSE(path_exists(store_ / ".tcmufs/records/db0"));
}

TEST_F(ChangeSettings, ADiskThatWasTouchedDoesNotCountAsUntouchedWhenItIsMadeAnew) {
  auto volume = attached("db0");
  kernel_.touched = {"db0"};
  volume->set_control("block_size", "4096");
  kernel_.touched.clear();
  refusal([&] { write(*volume, 0, "image", maker); }, EBUSY);
}

TEST_F(ChangeSettings, StatusShowsBothSizes) {
  auto volume = attached("db0");
  volume->set_control("block_size", "4096");
  EXPECT_THAT(volume->control("status"), HasSubstr("\nblock_size: 4096\nphysical_block_size: 4096\n"));
  const auto json = nlohmann::json::parse(registry_->control("status.json"))["volumes"][0];
  EXPECT_EQ(json["block_size"], 4096);
  EXPECT_EQ(json["physical_block_size"], 4096);
}

class DefaultSettings : public ChangeSettings {
 protected:
  std::string defaults() {
    return registry_->control("defaults/block_size") + registry_->control("defaults/physical_block_size");
  }
  std::string of_a_new_one(const std::string& path) {
    create(path);
    return recorded(path);
  }
};

TEST_F(DefaultSettings, AreThoseOfNewVolumesAndSurviveARemount) {
  EXPECT_EQ(defaults(), "512\n4096\n");
  auto old = create("old");
  registry_->set_control("defaults/block_size", "4096");
  EXPECT_EQ(defaults(), "4096\n4096\n");
  EXPECT_EQ(of_a_new_one("a"), "4096/4096");
  EXPECT_EQ(recorded("old"), "512/4096");
  start();
  EXPECT_EQ(defaults(), "4096\n4096\n");
  EXPECT_EQ(of_a_new_one("b"), "4096/4096");
  EXPECT_EQ(recorded("old"), "512/4096");
}

TEST_F(DefaultSettings, RefusalsAreTheMountsLastError) {
  const std::string sentence =
      refusal([&] { registry_->set_control("defaults/block_size", "1024"); }, EINVAL);
  EXPECT_THAT(sentence, HasSubstr("cannot set block_size of new volumes to '1024'"));
  EXPECT_EQ(registry_->control("last_error"), sentence + "\n");
  refusal([&] { registry_->set_control("defaults/colour", "red"); }, ENOENT);
  refusal([&] { registry_->set_control("version", "2"); }, ENOENT);
  EXPECT_EQ(defaults(), "512\n4096\n");
}

TEST_F(DefaultSettings, ThatCannotBeKeptAreNotSet) {
  break_store();
  refusal([&] { registry_->set_control("defaults/block_size", "4096"); }, EISDIR);
  mend_store();
  EXPECT_EQ(defaults(), "512\n4096\n");
}

TEST_F(DefaultSettings, OptionsOfTheMountComeFirstAndAreNotKept) {
  registry_->set_control("defaults/physical_block_size", "512");
  start(false, {{"block_size", "4096"}});
  EXPECT_EQ(defaults(), "4096\n4096\n");
  EXPECT_EQ(of_a_new_one("a"), "4096/4096");
  start();
  EXPECT_EQ(defaults(), "512\n512\n");
}

TEST_F(DefaultSettings, SetLaterHoldForThisMountAndTheStore) {
  start(false, {{"block_size", "4096"}});
  registry_->set_control("defaults/block_size", "512");
  registry_->set_control("defaults/physical_block_size", "512");
  EXPECT_EQ(of_a_new_one("a"), "512/512");
  start();
  EXPECT_EQ(defaults(), "512\n512\n");
}

TEST_F(DefaultSettings, SetLaterDoNotCarryOptionsOfTheMountIntoTheStore) {
  registry_->set_control("defaults/physical_block_size", "512");
  start(false, {{"block_size", "512"}, {"physical_block_size", "4096"}});
  registry_->set_control("defaults/block_size", "512");
  EXPECT_EQ(defaults(), "512\n4096\n");
  start();
  EXPECT_EQ(defaults(), "512\n512\n");
}

TEST_F(DefaultSettings, OptionsThatAreNoneAreRefused) {
  EXPECT_THAT(refusal(
                  [&] {
                    start(false, {{"block_size", "520"}});
                  },
                  EINVAL),
              HasSubstr("cannot set block_size of new volumes to '520'"));
}

TEST_F(DefaultSettings, OfAStoreHoldForImagesPutThereByHand) {
  registry_->set_control("defaults/block_size", "4096");
  std::ofstream(store_ / "byhand") << std::string(8192, 'x');
  start();
  registry_->bring_up();
  EXPECT_EQ(kernel_.blocks["byhand"], "4096/4096");
}

TEST_F(DefaultSettings, ThatCannotBeReadKeepNewVolumesFromBeingMadeUntilOneIsSet) {
  create("old", mib);
  std::ofstream(store_ / ".tcmufs/defaults") << "{";
  std::ofstream(store_ / "byhand") << std::string(8192, 'x');
  start();
  registry_->bring_up();
  EXPECT_THAT(registry_->status_table(""), AllOf(HasSubstr("old     ready"), HasSubstr("byhand  failed")));
  EXPECT_THAT(refusal([&] { create("new"); }, EBADMSG), HasSubstr(".tcmufs/defaults'"));
  EXPECT_THAT(registry_->control("last_error"), HasSubstr(".tcmufs/defaults'"));
  EXPECT_FALSE(path_exists(store_ / "new"));
  refusal([&] { defaults(); }, EBADMSG);
  registry_->set_control("defaults/block_size", "4096");
  EXPECT_EQ(of_a_new_one("new"), "4096/4096");
  start();
  EXPECT_EQ(defaults(), "4096\n4096\n");
}

TEST_F(DefaultSettings, AnImageThatDoesNotFitThemSaysWhatToDo) {
  registry_->set_control("defaults/block_size", "4096");
  auto volume = create("img");
  write(*volume, 0, std::string(1000, 'x'), maker);
  EXPECT_THAT(refusal([&] { volume->attach(); }, EINVAL),
              AllOf(HasSubstr("The next size it can have is 4096"), Not(HasSubstr("echo"))));
}

}  // namespace
}  // namespace tcmufs::volume
