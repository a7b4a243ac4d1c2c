#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "mounted_fixture.h"
#include "sys/error.h"

namespace tcmufs::fuse {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Mounting : public Mounted {
 protected:
  /// The Failure of mounting on `path`.
  std::pair<int, std::string> refusal(const std::string& path, const std::vector<std::string>& options = {}) {
    ctlfs::Tree another(backend);
    try {
      Session second(another, {path, "/the/store", options});
      second.mount();
    } catch (const Failure& failure) {
      return {failure.error(), failure.what()};
    }
    return {0, ""};
  }
};

TEST_F(Mounting, TypeAndSourceAreSeen) {
  start();
  EXPECT_EQ(run("findmnt -n -o FSTYPE,SOURCE $M | tr -s ' '").output, "fuse.tcmufs /the/store\n");
  EXPECT_FALSE(session->unmounted());
}

TEST_F(Mounting, AnUnknownOptionIsInvalidAndNamed) {
  const auto [error, text] = refusal(directories->mount_point(), {"allow_other", "colour=blue"});
  EXPECT_EQ(error, EINVAL);
  EXPECT_THAT(text, HasSubstr("colour=blue"));
}

TEST_F(Mounting, AMissingMountPointIsSaidSo) {
  const auto [error, text] = refusal(directories->other() + "/nowhere");
  EXPECT_EQ(error, ENOENT);
  EXPECT_THAT(text, HasSubstr("nowhere'"));
}

TEST_F(Mounting, AFileIsNoMountPoint) {
  std::ofstream(directories->other() + "/file") << "x";
  EXPECT_EQ(refusal(directories->other() + "/file").first, ENOTDIR);
}

TEST_F(Mounting, ADirectoryNeedNotBeEmpty) {
  std::ofstream(directories->mount_point() + "/hidden") << "x";
  start();
  expect(0, "ls", "status");
  expect(2, "ls hidden");
}

TEST_F(Mounting, TwiceIsBusy) {
  start();
  const auto [error, text] = refusal(directories->mount_point() + "/");
  EXPECT_EQ(error, EBUSY);
  EXPECT_THAT(text, HasSubstr("is already a mount point of tcmufs"));
  expect(0, "cat status");
}

TEST_F(Mounting, ThroughASymbolicLinkIsTheSamePlace) {
  start();
  const std::string link = directories->other() + "/link";
  ASSERT_EQ(symlink(directories->mount_point().c_str(), link.c_str()), 0);
  EXPECT_EQ(refusal(link).first, EBUSY);
}

TEST_F(Mounting, ADeadMountOfOursIsCleared) {
  for (int times = 0; times < 2; ++times) {  // two on top of each other
    const pid_t daemon = fork();
    if (daemon == 0) {
      testing::FakeBackend its_backend;
      ctlfs::Tree its_tree(its_backend);
      Session its_session(its_tree, {directories->mount_point(), "/the/store", {}});
      its_session.mount();
      raise(SIGKILL);
    }
    int status = 0;
    waitpid(daemon, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    struct stat file {};
    ASSERT_EQ(stat(directories->mount_point().c_str(), &file), -1);
    ASSERT_EQ(errno, ENOTCONN);
    start();
    expect(0, "touch a && ls", "status");
    session->stop();
    server.join();
    session.reset();
  }
  EXPECT_EQ(run_outside("findmnt $M").status, 1);
}

TEST_F(Mounting, ReadOnlyIsTheKernels) {
  start({"ro"});
  expect(1, "touch a", "Read-only file system");
}

TEST_F(Mounting, OthersMayLookOnlyIfAllowed) {
  start();
  expect(1, "setpriv --reuid=65534 --clear-groups cat $M/status", "Permission denied");
}

TEST_F(Mounting, OthersAreCheckedByTheKernelIfAllowed) {
  start({"allow_other,default_permissions"});
  expect(0, "truncate -s 4096 a; chmod 600 a; setpriv --reuid=65534 --clear-groups cat $M/status",
         "table of ''");
  expect(1, "setpriv --reuid=65534 --clear-groups cat $M/a", "Permission denied");
  expect(1, "setpriv --reuid=65534 --clear-groups touch $M/b", "Permission denied");
}

TEST_F(Mounting, TheSpaceIsTheBackends) {
  start();
  EXPECT_EQ(run("stat -f -c '%S %b %a' .").output, "4096 1000 700\n");
}

}  // namespace tcmufs::fuse
