#include "mountctl/command_set.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <sstream>

#include "fake_mount.h"
#include "mountctl/command_get.h"
#include "mountctl/settings_files.h"
#include "mountctl/volume_verb.h"
#include "refused.h"
#include "sys/text_file.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Settings : public testing::Test {
 protected:
  void SetUp() override {
    mount_.volume("db0", 4096, "ready");
    mount_.control("db0", "queue_depth", "1024\n");
    mount_.control("db0", "vendor", "TCMUFS\n");
    mount_.control("db0", "status.json", R"({"queue_depth":1024,"vendor":"TCMUFS"})");
    mount_.control("db0", "ctl", "");
    for (const char* fixed : {"state", "status.json"}) ::chmod(path(fixed).c_str(), 0444);
  }
  std::string path(const std::string& file) const { return mount_ / (".ctl/vol/db0/" + file); }
  std::string got(const std::string& key, bool json) const {
    std::ostringstream out;
    get_settings(mount_.path(), "db0", key, json, out);
    return out.str();
  }

  FakeMount mount_;
};

TEST_F(Settings, AreTheFilesThatCanBeWritten) {
  EXPECT_EQ(got("", false), "queue_depth  1024\nvendor       TCMUFS\n");
}

TEST_F(Settings, OneIsItsValueAlone) {
  EXPECT_EQ(got("vendor", false), "TCMUFS\n");
}

TEST_F(Settings, JsonHasNumbersAsNumbers) {
  EXPECT_EQ(got("", true), "{\n  \"queue_depth\": 1024,\n  \"vendor\": \"TCMUFS\"\n}\n");
  EXPECT_EQ(got("vendor", true), "{\n  \"vendor\": \"TCMUFS\"\n}\n");
}

TEST_F(Settings, TypoListsThoseThereAreAndChangesNothing) {
  const auto sentence = refused(ExitStatus::usage, [&] {
    set_settings(mount_.path(), "db0", {{"vendor", "ACME"}, {"queue_deep", "1"}});
  });
  EXPECT_THAT(sentence, HasSubstr("no setting 'queue_deep'; there are: queue_depth, vendor"));
  EXPECT_EQ(read_text(path("vendor")), "TCMUFS\n");
  EXPECT_THAT(refused(ExitStatus::usage, [&] { (void)got("state", false); }),
              HasSubstr("there are: queue_depth, vendor"));
}

TEST_F(Settings, AreWrittenInTheOrderGiven) {
  set_settings(mount_.path(), "db0", {{"vendor", "ACME"}, {"queue_depth", "64"}, {"vendor", "B"}});
  EXPECT_THAT(read_text(path("queue_depth")), testing::StartsWith("64\n"));
  EXPECT_THAT(read_text(path("vendor")), testing::StartsWith("B\n"));
}

// /proc/self has files that are like settings: they can be read and written, and refuse what is no value.
TEST_F(Settings, StopAtTheFirstThatIsRefusedAndSayWhatWasSetBefore) {
  mount_.volume("db1", 4096, "ready");
  boost::filesystem::remove_all(mount_ / ".ctl/vol/db1");
  mount_.link("/proc/self", ".ctl/vol/db1");
  EXPECT_THAT(refused(ExitStatus::failed,
                      [&] {
                        set_settings(mount_.path(), "db1",
                                     {{"comm", "set_test"}, {"oom_score_adj", "many"}, {"comm", "never"}});
                      }),
              testing::StartsWith("cannot set oom_score_adj of 'db1' to 'many': Invalid argument (EINVAL). "
                                  "Set before that: comm"));
  EXPECT_EQ(read_line("/proc/self/comm"), "set_test");
}

TEST_F(Settings, WordsAreKeyAndValue) {
  EXPECT_EQ(parse_settings({"product=a=b", "vendor="}), (VolumeSettings{{"product", "a=b"}, {"vendor", ""}}));
  for (const char* word : {"vendor", "=1", "vendor=a\nb"}) {
    EXPECT_THAT(refused(ExitStatus::usage, [&] { (void)parse_settings({word}); }), HasSubstr("KEY=VALUE"));
  }
}

TEST_F(Settings, VerbsAreWrittenToCtl) {
  tell_volume(mount_.path(), "db0", "attach");
  EXPECT_EQ(read_text(path("ctl")), "attach\n");
  tell_volume(mount_.path(), "db0", "detach");
  EXPECT_EQ(read_text(path("ctl")), "detach\n");
}

TEST_F(Settings, VerbThatIsRefusedHasTheMountsSentence) {
  boost::filesystem::remove(path("ctl"));
  boost::filesystem::create_symlink("/dev/full", path("ctl"));
  mount_.control("db0", "last_error", "no room for it (ENOSPC)\n");
  EXPECT_THAT(refused(ExitStatus::failed, [&] { tell_volume(mount_.path(), "db0", "detach"); }),
              HasSubstr("cannot detach 'db0': no room for it (ENOSPC)"));
}

TEST_F(Settings, DaemonWithoutVerbsIsSaidSo) {
  boost::filesystem::remove(path("ctl"));
  EXPECT_THAT(refused(ExitStatus::failed, [&] { tell_volume(mount_.path(), "db0", "attach"); }),
              AllOf(HasSubstr("cannot attach 'db0'"), HasSubstr("came with the daemon")));
  EXPECT_FALSE(mount_.has(".ctl/vol/db0/ctl"));
}

}  // namespace
}  // namespace tcmufs::mountctl
