#include "mountctl/command_umount.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "fake_mount.h"
#include "mountctl/mount_users.h"
#include "refused.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "sys/text_file.h"
#include "sys/user_mounts.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A process that does nothing until it is told to end: stands for the daemon.
class Daemon {
 public:
  Daemon() : pid_(::fork()) {
    if (pid_ == 0) {
      for (;;) ::pause();
    }
  }
  ~Daemon() {
    end();
    ::waitpid(pid_, nullptr, 0);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  pid_t pid() const { return pid_; }
  void end() const { ::kill(pid_, SIGKILL); }
  bool running() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
  }

 private:
  pid_t pid_;
};

void status_with(const FakeMount& mount, pid_t pid, const std::string& holders = "") {
  mount.status(R"({"format":1,"pid":)" + std::to_string(pid) + R"(,"volumes":[{"name":"db0","holders":[)" +
               holders + "]}]}");
}

constexpr UmountOptions at_leisure{false, std::chrono::seconds(60)};
constexpr UmountOptions forced{true, std::chrono::seconds(60)};

TEST(Umount, ReturnsWhenTheDaemonHasEnded) {
  const FakeMount mount;
  const Daemon daemon;
  status_with(mount, daemon.pid());
  int given_flags = -1;
  unmount(mount.path(), at_leisure, [&](const std::string& path, int flags) {
    EXPECT_EQ(path, mount.path());
    given_flags = flags;
    daemon.end();
    return 0;
  });
  EXPECT_EQ(given_flags, UMOUNT_NOFOLLOW);
  EXPECT_FALSE(daemon.running());
}

TEST(Umount, SaysSoWhenTheDaemonTakesTooLong) {
  const FakeMount mount;
  const Daemon daemon;
  status_with(mount, daemon.pid());
  const UmountOptions hasty{false, std::chrono::milliseconds(20)};
  const std::string sentence =
      refused(ExitStatus::timed_out, [&] { unmount(mount.path(), hasty, [](auto&, int) { return 0; }); });
  EXPECT_THAT(sentence, AllOf(HasSubstr("is unmounted"), HasSubstr("within 0.02 s"),
                              HasSubstr(std::to_string(daemon.pid()))));
  EXPECT_TRUE(daemon.running());
}

TEST(Umount, DisksInUseAreNamedAndNothingIsUnmounted) {
  const FakeMount mount;
  status_with(mount, ::getpid(), R"("mounted on '/srv'")");
  bool tried = false;
  const auto try_it = [&](const std::string&, int) {
    tried = true;
    return 0;
  };
  EXPECT_THAT(refused(ExitStatus::failed, [&] { unmount(mount.path(), at_leisure, try_it); }),
              AllOf(HasSubstr("db0 is mounted on '/srv'"), HasSubstr("--force"), HasSubstr("EBUSY")));
  EXPECT_FALSE(tried);
}

TEST(Umount, ForceDetachesTheMountThoughDisksAreInUse) {
  const FakeMount mount;
  const Daemon daemon;
  status_with(mount, daemon.pid(), R"("mounted on '/srv'")");
  int given_flags = 0;
  unmount(mount.path(), forced, [&](const std::string&, int flags) {
    given_flags = flags;
    daemon.end();
    return 0;
  });
  EXPECT_EQ(given_flags, UMOUNT_NOFOLLOW | MNT_DETACH);
}

TEST(Umount, BusyMountIsExplainedByDisksTakenIntoUseMeanwhile) {
  const FakeMount mount;
  status_with(mount, ::getpid());
  const auto busy = [&](const std::string&, int) {
    status_with(mount, ::getpid(), R"("used as swap")");
    return EBUSY;
  };
  EXPECT_THAT(refused(ExitStatus::failed, [&] { unmount(mount.path(), at_leisure, busy); }),
              HasSubstr("db0 is used as swap"));
}

TEST(Umount, BusyMountIsExplainedByOtherProcessesThatUseItsFiles) {
  const FakeMount mount;
  mount.write("held", "");
  const Fd file = open_file(mount.path() + "/held", O_RDONLY);
  const Daemon user;  // has inherited the open file
  status_with(mount, 0);
  const std::string sentence = refused(
      ExitStatus::failed, [&] { unmount(mount.path(), at_leisure, [](auto&, int) { return EBUSY; }); });
  EXPECT_THAT(sentence,
              AllOf(HasSubstr("process " + std::to_string(user.pid()) + " "), HasSubstr("/held' open"),
                    Not(HasSubstr("process " + std::to_string(::getpid()) + " "))));
}

TEST(Umount, AnotherErrorIsGivenWithItsName) {
  const FakeMount mount;
  status_with(mount, ::getpid());
  try {
    unmount(mount.path(), at_leisure, [](auto&, int) { return EPERM; });
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EPERM);
    EXPECT_THAT(failure.what(), HasSubstr("Only root"));
  }
}

TEST(Umount, DaemonThatCannotBeWatchedIsNoSuccess) {
  const FakeMount mount;
  status_with(mount, 0);
  EXPECT_THAT(
      refused(ExitStatus::failed, [&] { unmount(mount.path(), at_leisure, [](auto&, int) { return 0; }); }),
      HasSubstr("cannot be watched"));
}

TEST(Umount, OfADeadMountTakesTheEntryAlongThatItsDaemonWouldHaveRemoved) {
  const FileTree files;
  const std::string point = files / "mnt";
  const std::string table = files / "utab";
  files.make_directory("mnt");
  {
    const Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (!device) GTEST_SKIP() << "/dev/fuse cannot be opened: " << errno_name(errno);
    const std::string data = "fd=" + std::to_string(device.number()) + ",rootmode=40000,user_id=0,group_id=0";
    if (::mount("/store", point.c_str(), "fuse.tcmufs", 0, data.c_str()) != 0)
      GTEST_SKIP() << "cannot mount: " << errno_name(errno);
  }  // nobody serves it any more
  ::setenv("LIBMOUNT_UTAB", table.c_str(), 1);
  enter_user_mount(point);
  EXPECT_THAT(read_text(table), HasSubstr(point));
  EXPECT_THAT(refused(ExitStatus::failed, [&] { unmount(point, at_leisure, system_umount2); }),
              HasSubstr("its daemon had died"));
  EXPECT_EQ(read_text(table), "");
  ::unsetenv("LIBMOUNT_UTAB");
}

TEST(MountUsers, AreThoseWithAFileOrDirectoryBelowTheMount) {
  const FileTree proc;
  const auto process = [&](const std::string& pid, const std::string& link, const std::string& target) {
    proc.write(pid + "/comm", "prog" + pid + "\n");
    proc.make_directory(pid + "/fd");
    proc.link(target, pid + "/" + link);
  };
  process("7", "cwd", "/mnt/disks");
  process("8", "fd/3", "/mnt/disks/web/d");
  process("9", "fd/3", "/mnt/disks2");
  process("10", "fd/3", "/mnt/disks/daemon-own");
  process("11", "cwd", "/mnt/disks");
  process("self", "cwd", "/mnt/disks");
  EXPECT_THAT(users_of_mount("/mnt/disks", {10, 11}, proc.path()),
              ElementsAre("process 7 (prog7) has '/mnt/disks' as its working directory",
                          "process 8 (prog8) has '/mnt/disks/web/d' open"));
}

TEST(MountUsers, ProcessWithoutANameIsStillCounted) {
  const FileTree proc;
  proc.make_directory("7");
  proc.link("/m", "7/root");
  EXPECT_THAT(users_of_mount("/m", {}, proc.path()),
              ElementsAre("process 7 (?) has '/m' as its root directory"));
}

}  // namespace
}  // namespace tcmufs::mountctl
