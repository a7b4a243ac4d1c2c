#include "mountctl/command_cleanup.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>

#include "fake_mount.h"
#include "mountctl/command_line.h"
#include "refused.h"
#include "sys/error.h"

namespace tcmufs::mountctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(CommandCleanup, ArgumentsAreTheDaemons) {
  EXPECT_THAT(cleanup_arguments("/sbin/tcmufs", {{}, false, {}}), ElementsAre("/sbin/tcmufs", "--cleanup"));
  EXPECT_THAT(cleanup_arguments("/sbin/tcmufs", {{"/a store", "/b"}, true, {}}),
              ElementsAre("/sbin/tcmufs", "--cleanup", "--dry-run", "--store", "/a store", "--store", "/b"));
}

TEST(CommandCleanup, EachStoreHasItsOption) {
  EXPECT_NO_THROW(
      parse_command_line({"cleanup", "--store", "/a", "--store=/b", "--dry-run", "--timeout", "5"}));
  refused(ExitStatus::usage, [] { parse_command_line({"cleanup", "--store", "/a", "/b"}); });
}

/// A program that is run as the daemon.
class CleanupOfTheDaemon : public testing::Test {
 protected:
  std::string daemon(const std::string& script) const {
    directory_.write("tcmufs", "#!/bin/sh\n" + script);
    ::chmod((directory_ / "tcmufs").c_str(), 0755);
    return directory_ / "tcmufs";
  }

  FileTree directory_;
};

TEST_F(CleanupOfTheDaemon, HasItsExitStatus) {
  EXPECT_EQ(run_cleanup({daemon("exit 0")}, seconds(60)), 0);
  EXPECT_EQ(run_cleanup({daemon("exit $#"), "--cleanup"}, seconds(60)), 1);
  EXPECT_EQ(run_cleanup({daemon("kill -9 $$")}, seconds(60)), 128 + SIGKILL);
}

TEST_F(CleanupOfTheDaemon, IsNotWaitedForLongerThanItMay) {
  const std::string sentence = refused(ExitStatus::timed_out, [&] {
    static_cast<void>(run_cleanup({daemon("exec sleep 60")}, milliseconds(100)));
  });
  EXPECT_THAT(sentence,
              HasSubstr("not everything was removed within 0.1 s. It goes on by itself, as process "));
  ::kill(std::stoi(sentence.substr(sentence.rfind(' ') + 1)), SIGKILL);
}

TEST_F(CleanupOfTheDaemon, ThatCannotBeRunIsAFailure) {
  try {
    static_cast<void>(run_cleanup({directory_ / "none"}, seconds(60)));
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), ENOENT);
  }
}

}  // namespace
}  // namespace tcmufs::mountctl
