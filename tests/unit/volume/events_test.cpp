// What .ctl/events and error_log say of what happens, and the verbs.

#include <fstream>
#include <regex>
#include <sstream>

#include "registry_fixture.h"

namespace tcmufs::volume {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class EventsTest : public RegistryTest {
 protected:
  EventsTest() : reader_(registry_->events().reader()) { taken(*reader_); }

  /// The lines that have come since, without their times.
  static std::vector<std::string> taken(EventRing::Reader& reader) {
    std::string all;
    std::vector<std::byte> buffer(65536);
    while (const auto length = reader.read(buffer)) {
      if (*length == 0) break;
      all.append(reinterpret_cast<const char*>(buffer.data()), *length);
    }
    return without_times(all);
  }
  static std::vector<std::string> without_times(const std::string& text) {
    static const std::regex time("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z ");
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      EXPECT_TRUE(std::regex_search(line, time, std::regex_constants::match_continuous)) << line;
      lines.push_back(line.substr(25));
    }
    return lines;
  }
  std::vector<std::string> taken() { return taken(*reader_); }
  std::vector<std::string> errors() { return without_times(registry_->control("error_log")); }

  std::shared_ptr<EventRing::Reader> reader_;
};

TEST_F(EventsTest, AVolumesLifeFromBeginningToEnd) {
  auto volume = create("db0");
  volume->resize(mib, maker);
  volume->attach();
  volume->resize(2 * mib, other);
  volume->set_control("queue_depth", "16");
  volume->set_control("queue_depth", "16");  // changes nothing
  registry_->rename("db0", "two words");
  registry_->remove("two words");
  EXPECT_THAT(taken(),
              ElementsAre("db0 created", "db0 resized 1048576", "db0 attaching", "db0 ready /dev/fake-db0",
                          "db0 resizing", "db0 resized 2097152", "db0 ready /dev/fake-db0",
                          "db0 set queue_depth 16", "db0 renamed two\\040words", "two\\040words detaching",
                          "two\\040words pending", "two\\040words removed"));
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(EventsTest, OfAVolumeFollowItsNameAndEndWithIt) {
  auto volume = create("db0");
  create("db1");
  const auto own = registry_->events().reader(volume->topic());
  registry_->rename("db0", "db2");
  registry_->rename("db1", "db2");
  EXPECT_THAT(taken(*own), ElementsAre("db0 created", "db0 renamed db2", "db2 removed"));
  EXPECT_TRUE(own->at_end());
}

TEST_F(EventsTest, AFailureHasItsSentenceOnce) {
  kernel_.refuses = "db0";
  auto volume = create("db0", mib);
  const std::string sentence = refusal([&] { volume->attach(); }, ENODEV);
  EXPECT_THAT(taken(),
              ElementsAre("db0 created", "db0 resized 1048576", "db0 attaching", "db0 failed " + sentence));
  EXPECT_THAT(errors(), ElementsAre("db0 " + sentence));
}

TEST_F(EventsTest, ADiskThatCanBeServedNoLongerHasFailed) {
  auto volume = attached("db0");
  taken();
  kernel_.failed("the ring is broken");
  EXPECT_THAT(taken(), ElementsAre("db0 failed the ring is broken"));
  EXPECT_THAT(errors(), ElementsAre("db0 the ring is broken"));
}

TEST_F(EventsTest, ARefusalHasItsSentenceOnce) {
  auto volume = attached("db0");
  taken();
  const std::string size = refusal([&] { volume->resize(1000, maker); }, EINVAL);
  kernel_.used = {"db0"};
  const std::string used = refusal([&] { registry_->remove("db0"); }, EBUSY);
  registry_->refused("no such name");
  EXPECT_THAT(taken(), ElementsAre("db0 refused " + size, "db0 refused " + used, "- refused no such name"));
  EXPECT_THAT(errors(), ElementsAre("db0 " + size, "db0 " + used, "- no such name"));
}

TEST_F(EventsTest, ASizeThatFitsNoBlocksFailsOnce) {
  auto volume = create("db0");
  write(*volume, 0, "hello", maker);
  const std::string sentence = refusal([&] { volume->attach(); }, EINVAL);
  EXPECT_THAT(taken(), ElementsAre("db0 created", "db0 attaching", "db0 failed " + sentence));
}

TEST_F(EventsTest, ADiskWithoutRoomIsPausedAndGoesOnOrGivesUp) {
  auto volume = attached("db0");
  volume->set_control("enospc_timeout", "7");
  taken();
  SpaceWait& space = kernel_.statistics->space_wait();
  constexpr u64 second = 1'000'000'000;
  ASSERT_TRUE(space.refused(100 * second));
  EXPECT_EQ(volume->control("state"), "paused\n");
  EXPECT_THAT(volume->control("last_error"),
              StartsWith("there is no room left for what is written to 'db0' (ENOSPC or EDQUOT): its writes "
                         "wait. Make room where its image is, and they go on by themselves; after 7 s"));
  EXPECT_THAT(volume->control("status"), HasSubstr("hint: make room where the image is"));
  EXPECT_THAT(registry_->control("metrics"), HasSubstr("state=\"paused\"} 1"));
  EXPECT_THAT(taken(), ElementsAre(StartsWith("db0 paused there is no room left")));
  EXPECT_THAT(registry_->control("last_error"), StartsWith("there is no room left"));
  space.look(101 * second);
  space.look(102 * second);
  EXPECT_EQ(volume->control("state"), "ready\n");
  EXPECT_EQ(volume->control("last_error"), "");
  EXPECT_THAT(taken(), ElementsAre("db0 ready /dev/fake-db0"));
  ASSERT_TRUE(space.refused(200 * second));
  space.look(208 * second);
  ASSERT_FALSE(space.refused(208 * second));
  EXPECT_EQ(volume->control("state"), "ready\n");
  EXPECT_THAT(volume->control("last_error"), StartsWith("writes to 'db0' have failed: for 7 s"));
  EXPECT_THAT(taken(), ElementsAre(StartsWith("db0 paused"), StartsWith("db0 refused writes"),
                                   "db0 ready /dev/fake-db0"));
}

TEST_F(EventsTest, ADiskThatBecomesReadyWithoutRoomIsPaused) {
  auto volume = create("db0", mib);
  volume->attach();
  taken();
  ASSERT_TRUE(kernel_.statistics->space_wait().refused(100'000'000'000));
  volume->resize(2 * mib, other);
  EXPECT_THAT(taken(), ElementsAre(StartsWith("db0 paused"), "db0 resizing", "db0 resized 2097152",
                                   "db0 ready /dev/fake-db0", StartsWith("db0 paused")));
  EXPECT_EQ(volume->control("state"), "paused\n");
}

TEST_F(EventsTest, TheErrorLogKeepsTheLast200) {
  for (int i = 0; i < 300; ++i) registry_->refused("refusal " + std::to_string(i));
  const auto kept = errors();
  ASSERT_EQ(kept.size(), 200U);
  EXPECT_EQ(kept.front(), "- refusal 100");
  EXPECT_EQ(kept.back(), "- refusal 299");
}

TEST_F(EventsTest, TheMountsBeginningEndAndDefaults) {
  EXPECT_THAT(taken(*registry_->events().reader()), ElementsAre("- started"));
  registry_->set_control("defaults/block_size", "4096");
  registry_->stopping();
  registry_->take_down(Deadline::after(std::chrono::seconds(10)));
  EXPECT_THAT(taken(), ElementsAre("- set defaults/block_size 4096", "- stopping"));
}

TEST_F(EventsTest, AVolumeThatCannotBeUsedHasFailedFromTheBeginning) {
  create("db0", mib);
  registry_.reset();
  catalog_.reset();
  std::ofstream(store_ / ".tcmufs/records/db0") << "broken";
  start();
  EXPECT_THAT(taken(*registry_->events().reader()), ElementsAre("- started", StartsWith("db0 failed ")));
}

using VerbsTest = EventsTest;

TEST_F(VerbsTest, AttachMakesTheDiskAlsoOfATemporaryName) {
  auto volume = create(".db0", mib);
  volume->set_control("ctl", "attach");
  EXPECT_EQ(state(*volume), "ready\n");
  volume->set_control("ctl", "attach");
  EXPECT_EQ(kernel_.taken_events().size(), 1U);
}

TEST_F(VerbsTest, AttachFailsWithTheSentenceOfTheFailure) {
  kernel_.refuses = "db0";
  auto volume = create("db0", mib);
  const std::string sentence = refusal([&] { volume->set_control("ctl", "attach"); }, ENODEV);
  EXPECT_EQ(volume->control("last_error"), sentence + "\n");
}

TEST_F(VerbsTest, AttachWithoutASizeIsRefused) {
  auto volume = create("db0");
  EXPECT_THAT(refusal([&] { volume->set_control("ctl", "attach"); }, EINVAL), HasSubstr("truncate -s"));
  EXPECT_EQ(state(*volume), "pending\n");
}

TEST_F(VerbsTest, DetachTakesAnIdleDiskDownAndTheFileCanBeWritten) {
  auto volume = attached("db0");
  volume->set_control("ctl", "detach");
  EXPECT_EQ(state(*volume), "pending\n");
  write(*volume, 0, "image", other);
  volume->set_control("ctl", "detach");  // nothing to do
  volume->attach();
  EXPECT_EQ(state(*volume), "ready\n");
}

TEST_F(VerbsTest, DetachOfADiskInUseIsRefusedAndSaysWho) {
  auto volume = attached("db0");
  kernel_.used = {"db0"};
  EXPECT_THAT(refusal([&] { volume->set_control("ctl", "detach"); }, EBUSY), HasSubstr("mounted on '/srv'"));
  EXPECT_EQ(state(*volume), "ready\n");
}

TEST_F(VerbsTest, NothingElseIsTakenAndReadingListsThem) {
  auto volume = create("db0", mib);
  const std::string sentence = refusal([&] { volume->set_control("ctl", "explode"); }, EINVAL);
  EXPECT_THAT(sentence, HasSubstr("It takes: attach, detach"));
  EXPECT_EQ(volume->control("last_error"), sentence + "\n");
  EXPECT_THAT(refusal([&] { registry_->set_control("ctl", ""); }, EINVAL),
              HasSubstr("It takes: attach, detach"));
  EXPECT_EQ(volume->control("ctl"), "attach\ndetach\n");
  EXPECT_EQ(registry_->control("ctl"), "attach\ndetach\n");
}

TEST_F(VerbsTest, OfTheMountAreForAllAndGoOnPastAFailure) {
  create("a", mib);
  create("b", mib);
  create("c", mib);
  create("empty");
  create(".temporary", mib);
  kernel_.refuses = "a";
  const std::string sentence = refusal([&] { registry_->set_control("ctl", "attach"); }, ENODEV);
  EXPECT_THAT(sentence, HasSubstr("1 of 3 volumes could not be attached; the first: no disk for 'a'"));
  EXPECT_EQ(registry_->control("last_error"), sentence + "\n");
  EXPECT_THAT(registry_->status_table(""), HasSubstr("c           ready"));
  kernel_.used = {"b"};
  EXPECT_THAT(refusal([&] { registry_->set_control("ctl", "detach"); }, EBUSY), HasSubstr("1 of 5 volumes"));
  EXPECT_THAT(registry_->status_table(""), HasSubstr("c           pending"));
  kernel_.used.clear();
  registry_->set_control("ctl", "detach");
  EXPECT_THAT(registry_->status_table(""), HasSubstr("b           pending"));
}

TEST_F(VerbsTest, AreRefusedOnceTheMountIsStopping) {
  auto volume = create("a", mib);
  registry_->take_down(Deadline::after(std::chrono::seconds(10)));
  refusal([&] { volume->set_control("ctl", "attach"); }, ESHUTDOWN);
  refusal([&] { registry_->set_control("ctl", "attach"); }, ESHUTDOWN);
}

}  // namespace
}  // namespace tcmufs::volume
