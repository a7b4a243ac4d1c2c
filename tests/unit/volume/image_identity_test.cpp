// Images that somebody changes behind the back of their volumes, or that cannot be written any more.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "registry_fixture.h"

namespace tcmufs::volume {
namespace {

using testing::HasSubstr;

class ImageIdentity : public RegistryTest {
 protected:
  std::string image() const { return store_ / "db0"; }
  void replace_image(u64 size_bytes) const {
    std::filesystem::rename(image(), aside_ / "db0");
    std::ofstream(image()) << "another";
    ASSERT_EQ(::truncate(image().c_str(), static_cast<off_t>(size_bytes)), 0);
  }
  std::shared_ptr<ctlfs::Volume> volume() {
    for (auto& entry : registry_->entries()) {
      if (entry.path == "db0") return entry.volume;
    }
    return nullptr;
  }
  static Uuid uuid_of(ctlfs::Volume& of) { return *Uuid::parse(of.control("uuid").substr(0, 36)); }

  test::TemporaryDirectory aside_;
};

// What the users of a disk have not written yet belongs into the file that it was made of.
TEST_F(ImageIdentity, ADiskThatIsStillThereIsNotTakenOverOnAnotherFile) {
  leftovers_ = {uuid_of(*attached("db0"))};
  replace_image(mib);
  start();
  kernel_.taken_events();
  registry_->bring_up();
  EXPECT_EQ(state(*volume()), "failed\n");
  EXPECT_THAT(volume()->control("last_error"),
              HasSubstr("the image of 'db0' is another file than the one of which the disk"));
  EXPECT_THAT(volume()->control("last_error"), HasSubstr("ESTALE"));
  EXPECT_THAT(kernel_.taken_events(), testing::IsEmpty());  // nor is it removed
  std::filesystem::rename(aside_ / "db0", image());
  volume()->set_control("ctl", "attach");
  EXPECT_EQ(state(*volume()), "ready\n");
}

TEST_F(ImageIdentity, ADiskThatIsStillThereIsTakenOverOnItsOwnFile) {
  leftovers_ = {uuid_of(*attached("db0"))};
  start();
  registry_->bring_up();
  EXPECT_EQ(state(*volume()), "ready\n");
}

TEST_F(ImageIdentity, AnImageThatIsPutBackFromABackupIsADiskAtTheNextStart) {
  attached("db0");
  replace_image(2 * mib);
  start();
  registry_->bring_up();
  EXPECT_EQ(state(*volume()), "ready\n");
  leftovers_ = {uuid_of(*volume())};
  start();
  registry_->bring_up();
  EXPECT_EQ(state(*volume()), "ready\n");
}

TEST_F(ImageIdentity, TheFileThatIsThereNowBecomesTheDisk) {
  const auto db0 = attached("db0");
  db0->set_control("ctl", "detach");
  replace_image(2 * mib);
  db0->set_control("ctl", "attach");
  EXPECT_EQ(db0->control("size"), std::to_string(2 * mib) + "\n");
  std::array<std::byte, 7> bytes{};
  db0->read(0, bytes);
  EXPECT_EQ(std::to_integer<char>(bytes[0]), 'a');
}

TEST_F(ImageIdentity, AnImageThatIsGoneCannotBecomeADisk) {
  const auto db0 = attached("db0");
  db0->set_control("ctl", "detach");
  std::filesystem::remove(image());
  EXPECT_THAT(refusal([&] { db0->set_control("ctl", "attach"); }, ENOENT), HasSubstr("db0"));
  EXPECT_EQ(state(*db0), "failed\n");
}

// Its user has been told: a disk that cannot be got rid of helps nobody.
TEST_F(ImageIdentity, ADiskThatCannotBeFlushedGoesWhenItIsAskedForTwice) {
  const auto db0 = attached("db0");
  kernel_.unflushable = {"db0"};
  EXPECT_THAT(
      refusal([&] { db0->set_control("ctl", "detach"); }, EIO),
      HasSubstr("what is not synced of 'db0' cannot be written, and would be lost: Input/output error "
                "(EIO). Do the same once more"));
  EXPECT_EQ(state(*db0), "ready\n");
  db0->set_control("ctl", "detach");
  EXPECT_EQ(state(*db0), "pending\n");
  db0->set_control("ctl", "attach");
  refusal([&] { registry_->remove("db0"); }, EIO);
  registry_->remove("db0");
  EXPECT_FALSE(volume());
}

}  // namespace
}  // namespace tcmufs::volume
