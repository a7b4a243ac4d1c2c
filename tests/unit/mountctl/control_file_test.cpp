#include "mountctl/control_file.h"

#include <gmock/gmock.h>

#include "fake_mount.h"
#include "mountctl/last_error.h"
#include "refused.h"
#include "sys/error.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(VolumeName, IsAPathBelowTheMount) {
  EXPECT_EQ(volume_name("/mnt", "db0"), "db0");
  EXPECT_EQ(volume_name("/mnt", "web/disk0"), "web/disk0");
  EXPECT_EQ(volume_name("/mnt", "..a/.b"), "..a/.b");
}

TEST(VolumeName, MayBeginWithTheMountItself) {
  EXPECT_EQ(volume_name("/mnt", "/mnt/db0"), "db0");
  refused(ExitStatus::usage, [] { (void)volume_name("/mnt", "/mntx/db0"); });
  refused(ExitStatus::usage, [] { (void)volume_name("/mnt", "/mnt/"); });
}

TEST(VolumeName, CannotLeaveTheMount) {
  for (const char* name :
       {"", "/", "/etc/passwd", "..", "../x", "a/../b", ".", "./a", "a//b", "a/", "a/.."}) {
    EXPECT_THAT(refused(ExitStatus::usage, [&] { (void)volume_name("/mnt", name); }), HasSubstr("no name"))
        << name;
  }
}

TEST(VolumeName, CannotBeAFileOfTheMount) {
  for (const char* name : {".ctl", ".ctl/vol/db0", "status", "web/status", ".tcmufs", "a/.ctl/b"}) {
    try {
      (void)volume_name("/mnt", name);
      ADD_FAILURE() << name;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.error(), EPERM);
      EXPECT_THAT(failure.what(), HasSubstr("'" + std::string(name) + "'"));
    }
  }
}

TEST(ControlLine, IsTheValueWithoutItsNewline) {
  const FakeMount mount;
  mount.control("web/disk0", "state", "ready\n");
  EXPECT_EQ(control_line(mount.path(), "web/disk0", "state"), "ready");
  EXPECT_EQ(control_line(mount.path(), "web/disk0", "size"), std::nullopt);
}

TEST(Advice, DeadDaemonAndShutOutUserAreToldWhatToDo) {
  EXPECT_THAT(advice_for("/mnt", ENOTCONN), HasSubstr("mountctl umount /mnt"));
  EXPECT_THAT(advice_for("/mnt", EACCES), HasSubstr("allow_other"));
  EXPECT_EQ(advice_for("/mnt", EINVAL), "");
}

TEST(RequireVolume, NamesWhatIsMissing) {
  const FakeMount mount;
  mount.volume("db0", 0, "pending");
  EXPECT_NO_THROW(require_volume(mount.path(), "db0"));
  EXPECT_THAT(refused(ExitStatus::failed, [&] { require_volume(mount.path(), "db1"); }), HasSubstr("'db1'"));
  refused(ExitStatus::failed, [&] { require_volume(mount.path(), "db0/x"); });
}

TEST(LastError, NewSentenceOfTheVolumeComesFirst) {
  const FakeMount mount;
  const LastError last(mount.path(), "db0");
  mount.control("db0", "last_error", "the size is odd (EINVAL)\n");
  mount.write(".ctl/last_error", "something else (EINVAL)\n");
  EXPECT_STREQ(last.refusal("cannot do it", EINVAL).what(), "cannot do it: the size is odd (EINVAL)");
}

TEST(LastError, SentenceOfTheMountIsNext) {
  const FakeMount mount;
  const LastError last(mount.path(), "db0");
  mount.write(".ctl/last_error", "too many volumes\n");
  EXPECT_STREQ(last.refusal("cannot do it", ENOSPC).what(), "cannot do it: too many volumes (ENOSPC)");
}

TEST(LastError, SameRefusalTwiceKeepsItsSentence) {
  const FakeMount mount;
  mount.control("db0", "last_error", "mounted on '/srv' (EBUSY)\n");
  EXPECT_THAT(LastError(mount.path(), "db0").refusal("no", EBUSY).what(), HasSubstr("/srv"));
  mount.write(".ctl/last_error", "'db1' is full (ENOSPC)\n");
  EXPECT_THAT(LastError(mount.path(), "db1").refusal("no", ENOSPC).what(), HasSubstr("is full"));
}

TEST(LastError, OldSentenceAboutSomethingElseIsNotGiven) {
  const FakeMount mount;
  mount.control("db0", "last_error", "old news (EBUSY)\n");
  mount.write(".ctl/last_error", "'db7' is old news (EINVAL)\n");
  EXPECT_THAT(LastError(mount.path(), "db0").refusal("no", EINVAL).what(),
              AllOf(HasSubstr("no: Invalid argument (EINVAL)"), Not(HasSubstr("old news"))));
}

TEST(LastError, WithoutASentenceTheErrnoIsSaidInWords) {
  const FakeMount mount;
  EXPECT_STREQ(LastError(mount.path(), "db0").refusal("no", ENOSPC).what(),
               "no: No space left on device (ENOSPC)");
}

}  // namespace
}  // namespace tcmufs::mountctl
