#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "registry_fixture.h"
#include "store/file_store.h"
#include "support/file_size_limit.h"
#include "sys/text_file.h"

namespace tcmufs::volume {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST_F(RegistryTest, ACopyIsAFileOfItsOwnUntilItIsADisk) {
  const auto a = attached("a");
  EXPECT_EQ(a->seek(0, SEEK_HOLE), 0U);
  const auto b = create("b");
  EXPECT_EQ(b->copy_from(*a, 0, 0, 2 * mib, maker), mib);
  EXPECT_EQ(b->control("size"), std::to_string(mib) + "\n");
  b->attach();
  EXPECT_NE(a->control("uuid"), b->control("uuid"));
  EXPECT_NE(b->control("device"), "\n");
  EXPECT_THAT(refusal([&] { b->copy_from(*a, 0, 0, mib, other); }, EBUSY), HasSubstr("is a disk now"));
}

TEST_F(RegistryTest, AFileWithoutSizeStaysPendingAndSaysWhatToDo) {
  auto volume = create("db0");
  volume->attach();
  EXPECT_EQ(state(*volume), "pending\n");
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
  EXPECT_THAT(volume->control("status"), HasSubstr("hint: give it a size"));
}

TEST_F(RegistryTest, AttachMakesTheDiskAndSaysWhereItIs) {
  auto volume = attached("db0");
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_EQ(volume->control("device"), "/dev/fake-db0\n");
  EXPECT_THAT(registry_->status_table(""), HasSubstr("/tcmufs/db0"));
  EXPECT_THAT(kernel_.taken_events(), ElementsAre(StartsWith("made db0 of 1048576")));
}

TEST_F(RegistryTest, AttachingTwiceMakesOneDisk) {
  auto volume = attached("db0");
  volume->attach();
  EXPECT_EQ(kernel_.taken_events().size(), 1U);
}

TEST_F(RegistryTest, ManyWhoCloseAtOnceMakeOneDisk) {
  auto volume = create("db0", mib);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { volume->attach(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(kernel_.taken_events().size(), 1U);
}

TEST_F(RegistryTest, AFailedAttachKeepsTheSentenceAndTheFile) {
  kernel_.refuses = "db0";
  auto volume = create("db0", mib);
  const std::string sentence = refusal([&] { volume->attach(); }, ENODEV);
  EXPECT_EQ(state(*volume), "failed\n");
  EXPECT_EQ(volume->control("last_error"), sentence + "\n");
  write(*volume, 0, "still a file", maker);
  kernel_.refuses.clear();
  volume->attach();
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_EQ(volume->control("last_error"), "");
}

TEST_F(RegistryTest, ASizeThatIsNoMultipleOfTheBlockSizeIsRefused) {
  auto volume = create("db0");
  EXPECT_THAT(refusal([&] { volume->resize(1000, maker); }, EINVAL),
              HasSubstr("no multiple of its block size of 512"));
  EXPECT_EQ(volume->attributes().size_bytes, 0U);
  write(*volume, 0, "hello", maker);
  refusal([&] { volume->attach(); }, EINVAL);
  EXPECT_EQ(state(*volume), "failed\n");
}

TEST_F(RegistryTest, AnAttachedVolumeIsNotWrittenAsAFile) {
  auto volume = attached("db0");
  EXPECT_THAT(refusal([&] { write(*volume, 0, "x", other); }, EBUSY), HasSubstr("/tcmufs/db0"));
  EXPECT_THAT(
      refusal([&] { volume->allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096, other); }, EBUSY),
      HasSubstr("is a disk now"));
  EXPECT_EQ(state(*volume), "ready\n");
}

TEST_F(RegistryTest, ItsMakerMayGoOnWritingAsLongAsNobodyHasTouchedTheDisk) {
  auto volume = attached("db0");
  write(*volume, 0, "image", maker);
  EXPECT_EQ(state(*volume), "pending\n");
  volume->attach();
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_EQ(read_text(store_ / "db0").substr(0, 5), "image");
}

TEST_F(RegistryTest, ItsMakerIsRefusedOnceTheDiskIsChanged) {
  auto volume = attached("db0");
  kernel_.touched = {"db0"};
  refusal([&] { write(*volume, 0, "image", maker); }, EBUSY);
  EXPECT_EQ(read_text(store_ / "db0")[0], '\0');
}

TEST_F(RegistryTest, ItsMakerIsRefusedWhileTheDiskIsUsed) {
  auto volume = attached("db0");
  kernel_.used = {"db0"};
  EXPECT_THAT(refusal([&] { write(*volume, 0, "image", maker); }, EBUSY), HasSubstr("mounted on '/srv'"));
}

TEST_F(RegistryTest, GrowsOnlineAlsoWhileUsed) {
  auto volume = attached("db0");
  kernel_.used = {"db0"};
  volume->resize(2 * mib, other);
  EXPECT_EQ(volume->attributes().size_bytes, 2 * mib);
  EXPECT_EQ(volume->control("size"), "2097152\n");
  EXPECT_EQ(state(*volume), "ready\n");
}

TEST_F(RegistryTest, AFailedGrowthChangesNothing) {
  auto volume = attached("db0");
  kernel_.resize_error = ENOSPC;
  refusal([&] { volume->resize(2 * mib, other); }, ENOSPC);
  EXPECT_EQ(volume->control("size"), "1048576\n");
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_THAT(volume->control("last_error"), HasSubstr("cannot resize"));
}

TEST_F(RegistryTest, ShrinksOnlyWhenIdle) {
  auto volume = attached("db0", 2 * mib);
  kernel_.used = {"db0"};
  refusal([&] { volume->resize(mib, other); }, EBUSY);
  EXPECT_EQ(volume->attributes().size_bytes, 2 * mib);
  kernel_.used.clear();
  volume->resize(mib, other);
  EXPECT_EQ(volume->attributes().size_bytes, mib);
}

TEST_F(RegistryTest, EmptyingAnIdleVolumeTakesTheDiskAway) {
  auto volume = attached("db0");
  volume->resize(0, other);
  EXPECT_EQ(state(*volume), "pending\n");
  EXPECT_EQ(volume->control("device"), "\n");
  EXPECT_THAT(kernel_.taken_events(), Contains("gone db0"));
  write(*volume, 0, std::string(512, 'n'), other);
  volume->attach();
  EXPECT_EQ(volume->control("size"), "512\n");
}

TEST_F(RegistryTest, EmptyingAUsedVolumeIsRefusedAndLosesNothing) {
  auto volume = attached("db0");
  kernel_.used = {"db0"};
  refusal([&] { volume->resize(0, other); }, EBUSY);
  EXPECT_EQ(volume->attributes().size_bytes, mib);
}

TEST_F(RegistryTest, RemoveTakesDiskImageAndRecordAway) {
  attached("db0");
  registry_->remove("db0");
  EXPECT_THAT(kernel_.taken_events(), Contains("gone db0"));
  EXPECT_FALSE(path_exists(store_ / "db0"));
  EXPECT_FALSE(path_exists(store_ / ".tcmufs/records/db0"));
  EXPECT_THAT(registry_->status_table(""), Not(HasSubstr("db0")));
}

TEST_F(RegistryTest, WhatTheKernelKeepsOfAVolumeGoesWithItAndNotBefore) {
  auto volume = attached("db0");
  const std::string forgot = "forgot " + volume->control("uuid").substr(0, 36);
  kernel_.used = {"db0"};
  refusal([&] { registry_->remove("db0"); }, EBUSY);
  kernel_.used.clear();
  registry_->take_down(Deadline::after(std::chrono::seconds(10)));
  start();
  EXPECT_THAT(kernel_.taken_events(), Not(Contains(forgot)));
  registry_->remove("db0");
  EXPECT_THAT(kernel_.taken_events(), ElementsAre(forgot));
}

TEST_F(RegistryTest, ADiskWithAWarningIsReadyAndTheWarningIsTold) {
  kernel_.warning = "something is lost";
  auto volume = attached("db0");
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_EQ(volume->control("last_error"), "something is lost\n");
  EXPECT_THAT(log_, Contains("'db0': something is lost"));
}

TEST_F(RegistryTest, RemoveOfAUsedVolumeIsRefusedAndSaysByWhom) {
  auto volume = attached("db0");
  kernel_.used = {"db0"};
  EXPECT_THAT(refusal([&] { registry_->remove("db0"); }, EBUSY), HasSubstr("mounted on '/srv'"));
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_TRUE(path_exists(store_ / "db0"));
}

TEST_F(RegistryTest, ARemovedVolumeThatIsStillOpenNeverBecomesADisk) {
  auto volume = create("db0", mib);
  registry_->remove("db0");
  write(*volume, 0, "x", maker);
  volume->attach();
  EXPECT_THAT(kernel_.taken_events(), Not(Contains(StartsWith("made"))));
}

TEST_F(RegistryTest, RenameMovesTheLinkAndKeepsIdentityAndDisk) {
  auto volume = attached("db0");
  const std::string uuid = volume->control("uuid");
  registry_->rename("db0", "db1");
  EXPECT_THAT(registry_->status_table(""), HasSubstr("/tcmufs/db1"));
  EXPECT_EQ(volume->control("uuid"), uuid);
  EXPECT_THAT(kernel_.taken_events(), Not(Contains("gone db0")));
  start();
  EXPECT_THAT(registry_->control("status.json"), HasSubstr(uuid.substr(0, 36)));
}

TEST_F(RegistryTest, RenameReplacesAnIdleVolume) {
  const std::string replaced = attached("old")->control("uuid").substr(0, 36);
  auto fresh = create("new", 2 * mib);
  registry_->rename("new", "old");
  const auto events = kernel_.taken_events();
  EXPECT_THAT(events, Contains("gone old"));
  EXPECT_EQ(events.back(), "forgot " + replaced);
  EXPECT_EQ(fresh->control("size"), "2097152\n");
  EXPECT_EQ(registry_->entries().size(), 1U);
}

TEST_F(RegistryTest, RenameDoesNotReplaceAUsedVolume) {
  attached("old");
  create("new", mib);
  kernel_.used = {"old"};
  refusal([&] { registry_->rename("new", "old"); }, EBUSY);
  EXPECT_EQ(registry_->entries().size(), 2U);
}

TEST_F(RegistryTest, ARenameOverAVolumeThatFailsLosesNothing) {
  auto old = attached("old");
  attached("new", 2 * mib);
  kernel_.link_in_the_way = "old";
  refusal([&] { registry_->rename("new", "old"); }, EEXIST);
  EXPECT_EQ(old->attributes().size_bytes, mib);
  EXPECT_TRUE(path_exists(store_ / "old"));
  EXPECT_TRUE(path_exists(store_ / "new"));
  EXPECT_EQ(registry_->entries().size(), 2U);
  old->attach();
  EXPECT_EQ(state(*old), "ready\n");
}

TEST_F(RegistryTest, AVolumeWhoseImageSomebodyTookAwayCanBeRemoved) {
  create("db0", mib);
  ::unlink((store_ / "db0").c_str());
  registry_->remove("db0");
  EXPECT_TRUE(registry_->entries().empty());
}

TEST_F(RegistryTest, ADiskThatADeadDaemonLeftIsTakenOverWhateverItsVolumeIsCalledNow) {
  auto volume = create(".db0.tmp", mib);
  leftovers_ = {*Uuid::parse(volume->control("uuid").substr(0, 36))};
  registry_->bring_up();
  EXPECT_THAT(kernel_.taken_events(), ElementsAre(StartsWith("made .db0.tmp")));
}

TEST_F(RegistryTest, ADiskThatADeadDaemonLeftIsKeptWhileItsImageCannotBeTold) {
  create("bad", mib);
  std::ofstream(store_ / ".tcmufs/records/bad") << "{";
  leftovers_ = {Uuid::random()};
  start();
  registry_->bring_up();
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
  EXPECT_THAT(log_, Contains(HasSubstr("is kept")));
}

TEST_F(RegistryTest, ADiskThatCannotBeTakenOverKeepsItsImageFromBeingChanged) {
  auto volume = create("db0", mib);
  leftovers_ = {*Uuid::parse(volume->control("uuid").substr(0, 36))};
  kernel_.refuses = "db0";
  refusal([&] { volume->attach(); }, ENODEV);
  EXPECT_THAT(refusal([&] { write(*volume, 0, "x", maker); }, EBUSY), HasSubstr("still in the kernel"));
  refusal([&] { registry_->remove("db0"); }, EBUSY);
  kernel_.refuses.clear();
  volume->attach();
  EXPECT_EQ(state(*volume), "ready\n");
}

TEST_F(RegistryTest, EveryRefusalIsTheLastErrorOfTheMountToo) {
  auto volume = create("db0");
  const std::string sentence = refusal([&] { volume->resize(1000, maker); }, EINVAL);
  EXPECT_EQ(registry_->control("last_error"), sentence + "\n");
}

TEST_F(RegistryTest, VolumesOfADirectoryShareItsTargetAndOthersHaveTheirOwn) {
  make_directory("web");
  attached("web/a");
  attached("web/b");
  attached("c");
  attached("d");
  std::vector<std::string> targets;
  for (const std::string& event : kernel_.taken_events()) targets.push_back(event.substr(event.rfind(' ')));
  ASSERT_EQ(targets.size(), 4U);
  EXPECT_EQ(targets[0], targets[1]);
  EXPECT_NE(targets[2], targets[3]);
  EXPECT_NE(targets[0], targets[2]);
}

TEST_F(RegistryTest, RenameOfADirectoryTakesItsVolumesAlong) {
  make_directory("web");
  attached("web/a");
  registry_->rename("web", "site");
  EXPECT_THAT(registry_->status_table("site"), HasSubstr("/tcmufs/site/a"));
  EXPECT_TRUE(path_exists(store_ / "site/a"));
}

TEST_F(RegistryTest, BringsEveryVolumeBackAfterARestart) {
  make_directory("web");
  attached("web/a");
  attached("db0");
  create("empty");
  create(".rsync.tmp", mib);
  const auto before = nlohmann::json::parse(registry_->control("status.json"));
  EXPECT_TRUE(registry_->take_down(Deadline::after(std::chrono::seconds(60))));
  start();
  kernel_.taken_events();
  registry_->bring_up();
  auto after = nlohmann::json::parse(registry_->control("status.json"));
  ASSERT_EQ(after["volumes"].size(), before["volumes"].size());
  for (std::size_t i = 0; i < before["volumes"].size(); ++i) {
    EXPECT_EQ(after["volumes"][i]["uuid"], before["volumes"][i]["uuid"]);
    EXPECT_EQ(after["volumes"][i]["state"], before["volumes"][i]["state"]) << before["volumes"][i]["name"];
  }
  EXPECT_EQ(kernel_.taken_events().size(), 2U);
}

TEST_F(RegistryTest, AReadOnlyMountHasReadOnlyDisks) {
  create("db0", mib);
  start(true);
  registry_->bring_up();
  EXPECT_THAT(kernel_.taken_events(), ElementsAre(StartsWith("made read-only db0")));
}

TEST_F(RegistryTest, OneVolumeThatCannotComeUpDoesNotKeepTheOthersDown) {
  create("bad", mib);
  create("good", mib);
  kernel_.refuses = "bad";
  registry_->bring_up();
  EXPECT_THAT(registry_->status_table(""), HasSubstr("good  ready"));
  EXPECT_THAT(registry_->status_table(""), HasSubstr("bad   failed"));
  EXPECT_THAT(log_, Contains(HasSubstr("no disk for 'bad'")));
}

TEST_F(RegistryTest, AVolumeWithABrokenRecordSaysSoAndItsImageIsLeftAlone) {
  create("bad", mib);
  std::ofstream(store_ / ".tcmufs/records/bad") << "{";
  start();
  registry_->bring_up();
  EXPECT_THAT(registry_->status_table(""), HasSubstr("bad   failed"));
  const auto entries = registry_->entries();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_THAT(refusal([&] { write(*entries[0].volume, 0, "x", maker); }, EIO), HasSubstr("records/bad"));
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
}

TEST_F(RegistryTest, RemovesLeftoversThatNoVolumeWants) {
  auto wanted = create("db0", mib);
  auto empty = create("empty");
  const auto uuid_of = [](ctlfs::Volume& volume) {
    return *Uuid::parse(volume.control("uuid").substr(0, 36));
  };
  leftovers_ = {uuid_of(*wanted), Uuid::random(), uuid_of(*empty)};
  registry_->bring_up();
  EXPECT_THAT(kernel_.taken_events(),
              ElementsAre("leftover " + leftovers_[1].text(), "forgot " + leftovers_[1].text(),
                          "leftover " + leftovers_[2].text(), StartsWith("made db0")));
}

TEST_F(RegistryTest, RemovesLinksToDisksThatAreGone) {
  ::mkdir((dev_ / "tcmufs").c_str(), 0755);
  ASSERT_EQ(::symlink("/dev/nowhere", (dev_ / "tcmufs/w").c_str()), 0);
  registry_->bring_up();
  EXPECT_FALSE(path_exists(dev_ / "tcmufs/w"));
}

TEST_F(RegistryTest, TakeDownFlushesAndTakesAwayWhatIsUsed) {
  attached("db0");
  kernel_.used = {"db0"};
  kernel_.taken_events();
  EXPECT_TRUE(registry_->take_down(Deadline::after(std::chrono::seconds(60))));
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("flushed db0", "gone db0"));
  EXPECT_THAT(log_, Contains(HasSubstr("mounted on '/srv'")));
}

TEST_F(RegistryTest, NothingIsCreatedWhileItGoesDown) {
  registry_->take_down(Deadline::after(std::chrono::seconds(60)));
  refusal([&] { create("late"); }, ESHUTDOWN);
  refusal([&] { make_directory("late"); }, ESHUTDOWN);
  EXPECT_FALSE(path_exists(store_ / "late"));
}

TEST_F(RegistryTest, ADiskThatFailsSaysSo) {
  auto volume = attached("db0");
  kernel_.failed("the ring is broken");
  EXPECT_EQ(state(*volume), "failed\n");
  EXPECT_EQ(volume->control("last_error"), "the ring is broken\n");
}

TEST_F(RegistryTest, ADiskThatSomebodyTookAwayLeavesNoNodeAndNoLinkAndCanBeMadeAnew) {
  auto volume = attached("db0");
  kernel_.taken_events();
  kernel_.gone = {"db0"};
  kernel_.failed("its device was removed");
  const Deadline deadline = Deadline::after(std::chrono::seconds(60));
  ASSERT_TRUE(poll_until(deadline, [&] { return volume->control("device") == "\n"; }));
  ASSERT_TRUE(poll_until(
      deadline, [&] { return volume->control("last_error").starts_with("its device was removed; "); }));
  EXPECT_THAT(kernel_.taken_events(), ElementsAre("gone db0"));
  EXPECT_EQ(state(*volume), "failed\n");
  kernel_.gone.clear();
  volume->attach();
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_EQ(volume->control("device"), "/dev/fake-db0\n");
}

TEST_F(RegistryTest, ADiskThatFailsAndIsStillThereIsKept) {
  auto volume = attached("db0");
  kernel_.failed("the ring is broken");
  EXPECT_TRUE(registry_->take_down(Deadline::after(std::chrono::seconds(60))));
  EXPECT_THAT(log_, Not(Contains(HasSubstr("makes the disk anew"))));
}

TEST_F(RegistryTest, StatusShowsHolders) {
  auto volume = attached("db0");
  EXPECT_FALSE(registry_->look_for_holders());
  kernel_.used = {"db0"};
  EXPECT_TRUE(registry_->look_for_holders());
  EXPECT_THAT(volume->control("status"), HasSubstr("holders: mounted on '/srv'"));
}

TEST_F(RegistryTest, StatusJsonSaysWhoServesWhat) {
  attached("db0");
  const auto json = nlohmann::json::parse(registry_->control("status.json"));
  EXPECT_EQ(json["format"], 1);
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["pid"], ::getpid());
  EXPECT_EQ(json["mount"], "/mnt");
  EXPECT_EQ(json["volumes"][0]["name"], "db0");
  EXPECT_EQ(json["volumes"][0]["size"], mib);
  EXPECT_EQ(json["volumes"][0]["device"], "/dev/fake-db0");
}

TEST_F(RegistryTest, StatusNamesTheEngineWhileThereIsADisk) {
  auto volume = attached("db0");
  EXPECT_THAT(volume->control("status"), HasSubstr("\nengine: fake\n"));
  EXPECT_EQ(nlohmann::json::parse(volume->control("status.json"))["engine"], "fake");
  volume->resize(0, other);
  EXPECT_THAT(volume->control("status"), HasSubstr("\nengine: \n"));
}

TEST_F(RegistryTest, StatisticsOutliveTheDisk) {
  auto volume = attached("db0");
  const auto count = [&] {
    kernel_.statistics->finished(Operation::read, 4096, scsi::Status::good, 1000);
    return nlohmann::json::parse(volume->control("stats.json"))["operations"]["read"]["commands"];
  };
  EXPECT_EQ(count(), 1);
  volume->set_control("block_size", "4096");
  EXPECT_EQ(kernel_.blocks["db0"], "4096/4096") << "the disk has been made anew";
  EXPECT_EQ(count(), 2);
  EXPECT_THAT(volume->control("stats"), HasSubstr("8192"));
  EXPECT_THAT(volume->control("latency"), HasSubstr("896"));
}

TEST_F(RegistryTest, StatisticsAnswerWhileTheDiskIsBeingMade) {
  auto volume = create("db0", mib);
  std::promise<void> making;
  std::promise<void> let_go;
  std::atomic<bool> first = true;
  kernel_.on_event = [&](const std::string&) {
    if (!first.exchange(false)) return;
    making.set_value();
    let_go.get_future().wait();
  };
  volume->attach_later();
  making.get_future().wait();
  auto text = std::async(std::launch::async, [&] { return volume->control("stats"); });
  EXPECT_EQ(text.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  let_go.set_value();
  EXPECT_THAT(text.get(), HasSubstr("in_flight: 0"));
  volume->attach();
  kernel_.on_event = nullptr;
}

TEST_F(RegistryTest, InflightHasTheCommandsOfTheDiskAndMetricsTheAgeOfTheOldest) {
  auto volume = attached("db0");
  EXPECT_EQ(volume->control("inflight"), "");
  EXPECT_THAT(registry_->control("metrics"),
              HasSubstr("oldest_command_seconds{volume=\"db0\"} 0.000000000\n"));
  constexpr std::array<u8, 16> read = {0x28, 0, 0, 0, 0, 8, 0, 0, 1};
  kernel_.statistics->commands_in_flight().begin(0, read, 1);
  EXPECT_THAT(volume->control("inflight"), EndsWith(" READ(10) lba 8 blocks 1\n"));
  EXPECT_THAT(registry_->control("metrics"),
              Not(HasSubstr("oldest_command_seconds{volume=\"db0\"} 0.000000000\n")));
}

TEST_F(RegistryTest, MetricsHaveEveryVolumeAndWhatItsImageTakesUp) {
  make_directory("web");
  auto volume = create("web/disk0", mib);
  volume->allocate(0, 0, 65536, maker);
  attached("db0");
  kernel_.statistics->finished(Operation::read, 4096, scsi::Status::good, 1000);
  const std::string text = registry_->control("metrics");
  const std::string disk0 = "{volume=\"web/disk0\"} ";
  EXPECT_THAT(text, HasSubstr("version=\"1.2.3\",store=\"" + catalog_->path() + "\",mount=\"/mnt\""));
  EXPECT_THAT(text, HasSubstr("tcmufs_volume_size_bytes" + disk0 + std::to_string(mib)));
  EXPECT_THAT(text, HasSubstr("tcmufs_volume_allocated_bytes" + disk0 + "65536\n"));
  EXPECT_THAT(text, HasSubstr("tcmufs_volume_commands_total{volume=\"db0\",operation=\"read\"} 1\n"));
}

TEST_F(RegistryTest, FeaturesSayWhichEngineIsUsedHere) {
  EXPECT_THAT(registry_->control("features"), AllOf(HasSubstr("\nkernel "), HasSubstr("\nengine ")));
}

TEST_F(RegistryTest, ANameThatIsNoUtf8CanBeShown) {
  create("\xff\xfe", mib);
  EXPECT_TRUE(nlohmann::json::accept(registry_->control("status.json")));
}

TEST_F(RegistryTest, TheImageIsLockedWhileItIsADiskOnly) {
  auto volume = attached("db0");
  const auto lock = [&] {
    return store::FileStore(open_file(store_ / "db0", O_RDWR), "db0",
                            Deadline::after(std::chrono::milliseconds(0)));
  };
  EXPECT_THROW(lock(), Failure);
  volume->resize(0, other);
  EXPECT_NO_THROW(lock());
}

TEST_F(RegistryTest, WhatTheStoreRefusesIsTheLastError) {
  {
    const test::FileSizeLimit none(0);
    EXPECT_THROW(create("db0"), Failure);
  }
  EXPECT_THAT(registry_->control("last_error"), HasSubstr("EFBIG"));
}

}  // namespace
}  // namespace tcmufs::volume
