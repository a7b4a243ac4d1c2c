// Links of a registry: what lies elsewhere, attached in place.

#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "registry_fixture.h"
#include "sys/text_file.h"

namespace tcmufs::volume {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class Links : public RegistryTest {
 protected:
  Links() { image("g.raw", mib); }

  void image(const std::string& name, u64 size_bytes) const {
    std::ofstream(images_ / name) << "golden";
    ASSERT_EQ(::truncate((images_ / name).c_str(), static_cast<off_t>(size_bytes)), 0);
  }
  std::shared_ptr<ctlfs::Volume> link(const std::string& path, const std::string& name = "g.raw") {
    return registry_->attach_in_place(path, images_ / name);
  }
  std::shared_ptr<ctlfs::Volume> volume(const std::string& path) {
    for (auto& entry : registry_->entries()) {
      if (entry.path == path) return entry.volume;
    }
    return nullptr;
  }
  std::string refused(int error, const std::string& target) {
    const std::string sentence = refusal([&] { registry_->attach_in_place("x", target); }, error);
    EXPECT_EQ(registry_->control("last_error"), sentence + "\n");
    EXPECT_FALSE(volume("x"));
    EXPECT_FALSE(path_exists(store_ / "x"));
    EXPECT_FALSE(path_exists(store_ / ".tcmufs/records/x"));
    return sentence;
  }
  static bool is_open(const std::string& path) {
    for (const auto& fd : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      if (std::filesystem::read_symlink(fd, gone) == path) return true;
    }
    return false;
  }
  static std::string value(ctlfs::Volume& of, const std::string& file) { return of.control(file); }

  test::TemporaryDirectory images_;
};

TEST_F(Links, AreDisksOfWhatTheyLeadTo) {
  const auto golden = link("golden");
  EXPECT_EQ(state(*golden), "ready\n");
  EXPECT_EQ(golden->control("size"), std::to_string(mib) + "\n");
  EXPECT_EQ(golden->link_target(), images_ / "g.raw");
  EXPECT_THAT(golden->control("status"), HasSubstr("\ntarget: " + (images_ / "g.raw") + "\n"));
  EXPECT_THAT(registry_->control("status.json"), HasSubstr("\"target\": \"" + (images_ / "g.raw")));
  EXPECT_EQ(std::filesystem::read_symlink(store_ / "golden"), images_ / "g.raw");
}

TEST_F(Links, HaveTheAttributesOfLinks) {
  const auto golden = link("golden");
  EXPECT_EQ(golden->attributes().permissions, 0777U);
  EXPECT_EQ(golden->attributes().size_bytes, (images_ / "g.raw").size());
  ctlfs::AttributeChange change;
  change.modified = timespec{1000, 0};
  change.uid = ::geteuid();
  golden->change(change);
  EXPECT_EQ(golden->attributes().modified.tv_sec, 1000);
  struct stat st {};
  ASSERT_EQ(::stat((images_ / "g.raw").c_str(), &st), 0);
  EXPECT_NE(st.st_mtime, 1000);
  change.uid = ::geteuid() + 1;
  refusal([&] { golden->change(change); }, EPERM);
  change.permissions = 0600;
  refusal([&] { golden->change(change); }, EOPNOTSUPP);
}

TEST_F(Links, KeepTheirIdentityOverAStart) {
  const std::string uuid = link("golden")->control("uuid");
  start();
  registry_->bring_up();
  EXPECT_EQ(value(*volume("golden"), "uuid"), uuid);
  EXPECT_EQ(state(*volume("golden")), "ready\n");
}

TEST_F(Links, ToWhatIsMissingFailAndComeBackWithIt) {
  link("golden");
  std::filesystem::rename(images_ / "g.raw", images_ / "away");
  start();
  registry_->bring_up();
  const auto golden = volume("golden");
  EXPECT_EQ(state(*golden), "failed\n");
  EXPECT_THAT(golden->control("last_error"), HasSubstr("cannot find '" + (images_ / "g.raw") + "'"));
  EXPECT_THAT(golden->control("status"),
              HasSubstr("hint: see last_error; echo attach > .ctl/vol/golden/ctl"));
  std::filesystem::rename(images_ / "away", images_ / "g.raw");
  golden->set_control("ctl", "attach");
  EXPECT_EQ(state(*golden), "ready\n");
}

// What the users of a disk have not written yet belongs into the file that it was made of.
TEST_F(Links, WhoseDiskIsStillThereAreNotTakenOverOnAnotherFile) {
  leftovers_ = {*Uuid::parse(link("golden")->control("uuid").substr(0, 36))};
  std::filesystem::rename(images_ / "g.raw", images_ / "away");
  image("g.raw", mib);
  start();
  registry_->bring_up();
  const auto golden = volume("golden");
  EXPECT_EQ(state(*golden), "failed\n");
  EXPECT_THAT(golden->control("last_error"), HasSubstr("is another file than the one of which the disk"));
  EXPECT_THAT(golden->control("last_error"), HasSubstr("ESTALE"));
  std::filesystem::rename(images_ / "away", images_ / "g.raw");
  golden->set_control("ctl", "attach");
  EXPECT_EQ(state(*golden), "ready\n");
}

TEST_F(Links, ThatHaveBeenChangedInTheStoreKeepTheDiskThatIsStillThere) {
  leftovers_ = {*Uuid::parse(link("golden")->control("uuid").substr(0, 36))};
  std::filesystem::remove(store_ / "golden");
  std::filesystem::create_symlink(images_ / "other", store_ / "golden");
  start();
  kernel_.taken_events();
  registry_->bring_up();
  EXPECT_FALSE(volume("golden"));
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
}

TEST_F(Links, AreNotResizedBelowADiskThatCouldNotBeTakenOver) {
  leftovers_ = {*Uuid::parse(link("golden")->control("uuid").substr(0, 36))};
  start();
  kernel_.refuses = "golden";
  registry_->bring_up();
  refusal([&] { volume("golden")->resize(4096, other); }, EBUSY);
  EXPECT_EQ(std::filesystem::file_size(images_ / "g.raw"), mib);
}

TEST_F(Links, AreNotResizedWhileAnotherHasTheFile) {
  const auto golden = link("golden");
  golden->set_control("ctl", "detach");
  const Fd held = open_file(images_ / "g.raw", O_RDWR);
  ASSERT_EQ(::flock(held.number(), LOCK_EX), 0);
  refusal([&] { golden->resize(4096, other); }, EBUSY);
  EXPECT_EQ(std::filesystem::file_size(images_ / "g.raw"), mib);
}

TEST_F(Links, ThatLeadIntoTheStoreMeanwhileAreNotAttachedAgain) {
  const auto golden = link("golden");
  golden->set_control("ctl", "detach");
  create("db0", mib);
  std::filesystem::remove(images_ / "g.raw");
  std::filesystem::create_symlink(store_ / "db0", images_ / "g.raw");
  EXPECT_THAT(refusal([&] { golden->set_control("ctl", "attach"); }, EBUSY), HasSubstr("lies in the store"));
}

TEST_F(Links, ToWhatIsNoUtf8AreRefused) {
  EXPECT_THAT(refused(EILSEQ, images_ / "g\xff.raw"), HasSubstr("no UTF-8"));
}

TEST_F(Links, ToWhatIsMissingCanBeRemoved) {
  link("golden");
  std::filesystem::rename(images_ / "g.raw", images_ / "away");
  start();
  registry_->bring_up();
  registry_->remove("golden");
  EXPECT_FALSE(volume("golden"));
  EXPECT_FALSE(std::filesystem::is_symlink(store_ / "golden"));
}

TEST_F(Links, AreRemovedWithoutWhatTheyLeadTo) {
  link("golden");
  registry_->remove("golden");
  EXPECT_FALSE(std::filesystem::is_symlink(store_ / "golden"));
  EXPECT_THAT(read_text(images_ / "g.raw"), StartsWith("golden"));
  link("golden");
}

TEST_F(Links, ThatAreUsedAreNotRemoved) {
  const auto golden = link("golden");
  kernel_.used = {"golden"};
  refusal([&] { registry_->remove("golden"); }, EBUSY);
  EXPECT_EQ(state(*golden), "ready\n");
  EXPECT_TRUE(std::filesystem::is_symlink(store_ / "golden"));
}

TEST_F(Links, AreRenamed) {
  const auto golden = link("golden");
  make_directory("web");
  registry_->rename("golden", "web/g");
  EXPECT_EQ(state(*golden), "ready\n");
  start();
  EXPECT_EQ(volume("web/g")->link_target(), images_ / "g.raw");
}

TEST_F(Links, ToWhatIsADiskAlreadyAreRefused) {
  link("golden");
  std::filesystem::create_hard_link(images_ / "g.raw", images_ / "hard");
  std::filesystem::create_symlink(images_ / "g.raw", images_ / "soft");
  for (const char* name : {"g.raw", "hard", "soft"})
    EXPECT_THAT(refused(EBUSY, images_ / name), HasSubstr("is the image of 'golden' already")) << name;
  create("own", mib);
  std::filesystem::create_hard_link(store_ / "own", images_ / "own");
  EXPECT_THAT(refused(EBUSY, images_ / "own"), HasSubstr("is the image of 'own' already"));
}

TEST_F(Links, IntoTheStoreAreRefused) {
  create("own", mib);
  EXPECT_THAT(refused(EBUSY, store_ / "own"), HasSubstr("lies in the store"));
  EXPECT_THAT(refused(EBUSY, store_ / ".tcmufs/uuid"), HasSubstr("lies in the store"));
}

TEST_F(Links, ToWhatCannotBeADiskAreRefused) {
  refused(EINVAL, "img/g.raw");
  refused(EOPNOTSUPP, "nbd://host/x");
  refused(ENOENT, images_ / "none");
  image("odd", 1000);
  EXPECT_THAT(refused(EINVAL, images_ / "odd"), HasSubstr("no multiple of its block size"));
  image("empty", 0);
  EXPECT_THAT(refused(EINVAL, images_ / "empty"), HasSubstr("has no size"));
  kernel_.refuses = "x";
  refused(ENODEV, images_ / "g.raw");
  kernel_.refuses.clear();
  registry_->attach_in_place("x", images_ / "g.raw");
}

TEST_F(Links, DoNotReplaceWhatSomebodyHasPutIntoTheStore) {
  std::ofstream(store_ / "x") << "precious";
  refusal([&] { registry_->attach_in_place("x", images_ / "g.raw"); }, EEXIST);
  EXPECT_EQ(read_text(store_ / "x"), "precious");
  EXPECT_THAT(kernel_.taken_events(), IsEmpty());
}

TEST_F(Links, ThatCannotBeKeptAreTakenBack) {
  // The store is asked for the name first, then the disk is made, then the link.
  kernel_.on_event = [&](const std::string& event) {
    if (event.starts_with("made x")) std::ofstream(store_ / "x") << "precious";
  };
  refusal([&] { registry_->attach_in_place("x", images_ / "g.raw"); }, EEXIST);
  kernel_.on_event = nullptr;
  EXPECT_FALSE(volume("x"));
  EXPECT_FALSE(path_exists(store_ / ".tcmufs/records/x"));
  EXPECT_EQ(read_text(store_ / "x"), "precious");
  EXPECT_THAT(kernel_.taken_events(), Contains("gone x"));
}

TEST_F(Links, OfTemporaryNamesWaitUntilTheyAreAttached) {
  const auto golden = registry_->attach_in_place(".x", images_ / "g.raw");
  EXPECT_EQ(state(*golden), "pending\n");
  EXPECT_THAT(golden->control("status"), HasSubstr("hint: echo attach > .ctl/vol/.x/ctl attaches it"));
  EXPECT_FALSE(is_open(images_ / "g.raw"));
  golden->attach();
  EXPECT_EQ(state(*golden), "ready\n");
}

TEST_F(Links, DetachedLetGoOfTheFile) {
  const auto golden = link("golden");
  EXPECT_TRUE(is_open(images_ / "g.raw"));
  golden->set_control("ctl", "detach");
  EXPECT_FALSE(is_open(images_ / "g.raw"));
  std::filesystem::rename(images_ / "g.raw", images_ / "away");
  image("g.raw", 2 * mib);
  golden->set_control("ctl", "attach");
  EXPECT_EQ(golden->control("size"), std::to_string(2 * mib) + "\n");
}

TEST_F(Links, FollowAFileThatHasGrownWhenTold) {
  const auto golden = link("golden");
  ASSERT_EQ(::truncate((images_ / "g.raw").c_str(), 2 * mib), 0);
  golden->set_control("ctl", "attach");
  EXPECT_EQ(golden->control("size"), std::to_string(2 * mib) + "\n");
  EXPECT_THAT(kernel_.taken_events(), Contains(HasSubstr("resized golden to 2097152")));
}

TEST_F(Links, AreResizedWithTheirFiles) {
  const auto golden = link("golden");
  golden->resize(3 * mib, other);
  EXPECT_EQ(std::filesystem::file_size(images_ / "g.raw"), 3 * mib);
  golden->set_control("ctl", "detach");
  golden->resize(2 * mib, other);
  EXPECT_EQ(std::filesystem::file_size(images_ / "g.raw"), 2 * mib);
  EXPECT_THAT(refusal([&] { golden->resize(0, other); }, EINVAL), HasSubstr("Remove the link"));
  EXPECT_EQ(std::filesystem::file_size(images_ / "g.raw"), 2 * mib);
}

TEST_F(Links, ToWhatNobodyMayWriteAreWriteProtectedDisks) {
  ASSERT_EQ(::chmod((images_ / "g.raw").c_str(), 0444), 0);
  link("golden");
  EXPECT_THAT(kernel_.taken_events(), Contains(StartsWith("made read-only golden")));
}

}  // namespace
}  // namespace tcmufs::volume
