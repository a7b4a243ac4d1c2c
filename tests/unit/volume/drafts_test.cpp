#include "registry_fixture.h"

namespace tcmufs::volume {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Drafts : public RegistryTest {
 protected:
  std::shared_ptr<ctlfs::Volume> draft(const std::string& path, u64 size_bytes = 0) {
    auto volume = registry_->create(path, {0644, ::geteuid(), ::getegid(), maker, true});
    if (size_bytes > 0) volume->resize(size_bytes, maker);
    return volume;
  }
  std::shared_ptr<ctlfs::Volume> after_remount(const std::string& path) {
    start();
    registry_->bring_up();
    for (const auto& entry : registry_->entries()) {
      if (entry.path == path) return entry.volume;
    }
    return nullptr;
  }
};

TEST_F(Drafts, AreNotAttachedByClosing) {
  auto volume = draft("db0");
  EXPECT_EQ(state(*volume), "draft\n");
  volume->resize(mib, maker);
  volume->attach();
  volume->attach_later();
  EXPECT_EQ(state(*volume), "draft\n");
  write(*volume, 0, "an image", maker);
  volume->attach();
  registry_->set_control("ctl", "attach");
  EXPECT_EQ(state(*volume), "draft\n");
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
  EXPECT_THAT(volume->control("status"), HasSubstr("echo attach > ctl"));
}

TEST_F(Drafts, BecomeDisksWithTheirSettingsWhenTheyAreToldTo) {
  auto volume = draft("db0");
  volume->set_control("block_size", "4096");
  volume->set_control("queue_depth", "16");
  volume->resize(mib, maker);
  volume->set_control("ctl", "attach");
  EXPECT_EQ(state(*volume), "ready\n");
  EXPECT_EQ(kernel_.blocks["db0"], "4096/4096");
  EXPECT_EQ(kernel_.options.at("db0").settings.queue_depth, 16u);
}

TEST_F(Drafts, AreOrdinaryVolumesAfterThat) {
  auto volume = draft("db0", mib);
  volume->set_control("ctl", "attach");
  volume->set_control("ctl", "detach");
  EXPECT_EQ(state(*volume), "pending\n");
  volume->attach();
  EXPECT_EQ(state(*volume), "ready\n");
  volume.reset();
  EXPECT_EQ(state(*after_remount("db0")), "ready\n");
}

TEST_F(Drafts, WithoutASizeStayDrafts) {
  auto volume = draft("db0");
  EXPECT_THAT(refusal([&] { volume->set_control("ctl", "attach"); }, EINVAL), HasSubstr("no size"));
  EXPECT_EQ(state(*volume), "draft\n");
  volume->set_control("ctl", "detach");
  EXPECT_EQ(state(*volume), "draft\n");
}

TEST_F(Drafts, ASizeThatDoesNotFitTheBlocksIsRefusedAtOnce) {
  auto volume = draft("db0");
  volume->set_control("block_size", "4096");
  refusal([&] { volume->resize(512, maker); }, EINVAL);
  volume->resize(mib, maker);
  EXPECT_EQ(state(*volume), "draft\n");
}

TEST_F(Drafts, StayDraftsOverARemountAndARename) {
  draft("db0", mib)->set_control("vendor", "ACME");
  registry_->rename("db0", "db1");
  const auto volume = after_remount("db1");
  EXPECT_EQ(state(*volume), "draft\n");
  EXPECT_EQ(volume->control("size"), std::to_string(mib) + "\n");
  EXPECT_EQ(volume->control("vendor"), "ACME\n");
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
}

TEST_F(Drafts, ThatCannotBecomeDisksAreVolumesThatHaveFailed) {
  auto volume = draft("db0", mib);
  kernel_.refuses = "db0";
  refusal([&] { volume->set_control("ctl", "attach"); }, ENODEV);
  EXPECT_EQ(state(*volume), "failed\n");
  kernel_.refuses.clear();
  volume.reset();
  EXPECT_EQ(state(*after_remount("db0")), "ready\n") << "the mark had gone before the disk came";
}

TEST_F(Drafts, WhoseMarkCannotBeRemovedStayDrafts) {
  auto volume = draft("db0", mib);
  ASSERT_EQ(::rename((store_ / ".tcmufs/records").c_str(), (store_ / ".tcmufs/away").c_str()), 0);
  EXPECT_THROW(volume->set_control("ctl", "attach"), Failure);
  ASSERT_EQ(::rename((store_ / ".tcmufs/away").c_str(), (store_ / ".tcmufs/records").c_str()), 0);
  EXPECT_EQ(state(*volume), "draft\n");
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
  volume->set_control("ctl", "attach");
  EXPECT_EQ(state(*volume), "ready\n");
}

TEST_F(Drafts, AreRemovedAsAnyVolume) {
  draft("db0", mib);
  registry_->remove("db0");
  EXPECT_THAT(registry_->entries(), IsEmpty());
  EXPECT_EQ(after_remount("db0"), nullptr);
}

TEST_F(Drafts, AreEventsAndMetrics) {
  auto reader = registry_->events().reader(draft("db0")->topic());
  std::string text(4096, '\0');
  text.resize(reader->read(std::as_writable_bytes(std::span(text))).value_or(0));
  EXPECT_THAT(text, testing::ContainsRegex("db0 created\n.* db0 draft\n"));
  EXPECT_THAT(registry_->control("metrics"),
              AllOf(HasSubstr("tcmufs_volumes{state=\"draft\"} 1"),
                    HasSubstr("tcmufs_volume_state{volume=\"db0\",state=\"draft\"} 1")));
}

}  // namespace
}  // namespace tcmufs::volume
