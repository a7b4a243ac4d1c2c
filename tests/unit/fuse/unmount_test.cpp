#include <sys/mount.h>

#include <algorithm>
#include <cstdlib>
#include <future>

#include "fuse/mount_point.h"
#include "mounted_fixture.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::fuse {

using Unmounting = Mounted;

TEST_F(Unmounting, WhileIdleEndsRun) {
  start();
  expect(0, "touch a");
  EXPECT_EQ(run_outside("umount -i $M").status, 0);
  EXPECT_TRUE(served());
  EXPECT_TRUE(session->unmounted());
}

TEST_F(Unmounting, LazilyEndsRunThoughAFileIsOpen) {
  start();
  // The file is open in another process: one that is killed with a file open that it serves itself is never
  // gone.
  auto user = std::async(std::launch::async, [this] {
    return run_outside(
        "exec 3<> $M/a; umount -i $M && exit 5; umount -l $M || exit 6; "
        "for i in $(seq 3000); do test -e over && break; sleep 0.01; done; echo x >&3");
  });
  EXPECT_TRUE(served());
  EXPECT_TRUE(session->unmounted());
  session->stop();
  server.join();
  session.reset();
  EXPECT_EQ(run_outside("touch over").status, 0);
  const Result result = user.get();
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, ::testing::HasSubstr("Transport endpoint is not connected"));
}

TEST_F(Unmounting, ByTheSessionEndsRun) {
  start();
  session->unmount();
  EXPECT_TRUE(served());
  EXPECT_EQ(run_outside("findmnt $M").status, 1);
}

TEST_F(Unmounting, StopEndsRunAndLeavesTheMount) {
  start();
  expect(0, "ls");
  session->stop();
  EXPECT_TRUE(served());
  EXPECT_FALSE(session->unmounted());
  session->unmount();
  EXPECT_TRUE(session->unmounted());
}

TEST_F(Unmounting, StopBeforeRunIsNotLost) {
  tree.emplace(backend);
  session.emplace(*tree, Session::Options{directories->mount_point(), "/the/store", {}});
  session->mount();
  session->stop();
  session->run();
}

TEST_F(Unmounting, AnAbortedConnectionEndsRun) {
  start();
  const Result aborted = run_outside(
      "mkdir ctl && mount -t fusectl none ctl || exit 77; trap 'umount ctl' EXIT; echo 1 > ctl/$(stat -c %d "
      "$M)/abort");
  if (aborted.status == 77) GTEST_SKIP() << "no fusectl: " << aborted.output;
  EXPECT_EQ(aborted.status, 0) << aborted.output;
  EXPECT_TRUE(served());
  EXPECT_FALSE(session->unmounted());
}

TEST_F(Unmounting, WaitsForRequestsUnderWay) {
  start();
  backend.block("attach a");
  std::thread user([&] { run("truncate -s 4096 a"); });
  ASSERT_TRUE(backend.wait_for_blocked());
  session->stop();
  {
    std::unique_lock lock(mutex);
    EXPECT_FALSE(changed.wait_for(lock, std::chrono::milliseconds(50), [&] { return done; }));
  }
  backend.release_calls();
  EXPECT_TRUE(served());
  session->unmount();
  session->stop();
  server.join();
  session.reset();
  user.join();
}

TEST_F(Unmounting, AMountLeavesWhatIsMountedOnTopAlone) {
  start();
  ASSERT_EQ(run_outside("mount -t tmpfs none $M").status, 0);
  session->unmount();
  EXPECT_EQ(run_outside("findmnt -n -o FSTYPE $M | tail -n 1").output, "tmpfs\n");
  EXPECT_EQ(run_outside("umount -i $M").status, 0);
  session->unmount();
  EXPECT_TRUE(served());
}

TEST_F(Unmounting, OfAHeldMountIsBusy) {
  start();
  session->hold(true);
  const Result held = run_outside("umount -i $M");
  EXPECT_EQ(held.status, 32);
  EXPECT_THAT(held.output, ::testing::HasSubstr("target is busy"));
  session->hold(false);
  EXPECT_EQ(run_outside("umount -i $M").status, 0);
  EXPECT_TRUE(served());
}

TEST_F(Unmounting, LazilyOfAHeldMountEndsRun) {
  start();
  session->hold(true);
  EXPECT_EQ(run_outside("umount -l $M").status, 0);
  EXPECT_TRUE(served());
}

TEST_F(Unmounting, TakesTheEntryAlongByWhichUmountFindsItsHelper) {
  const std::string table = directories->other() + "/utab";
  setenv("LIBMOUNT_UTAB", table.c_str(), 1);
  start();
  EXPECT_THAT(read_text(table), ::testing::HasSubstr("TARGET=" + directories->mount_point() + " "));
  EXPECT_EQ(run_outside("umount -i $M").status, 0);
  EXPECT_TRUE(served());
  session->unmount();
  EXPECT_EQ(read_text(table), "");
  unsetenv("LIBMOUNT_UTAB");
}

TEST_F(Unmounting, LeavesTheEntryToAnotherMountInTheSamePlace) {
  const std::string table = directories->other() + "/utab";
  setenv("LIBMOUNT_UTAB", table.c_str(), 1);
  start();
  EXPECT_EQ(umount2(directories->mount_point().c_str(), MNT_DETACH), 0);
  EXPECT_TRUE(served());
  {
    Session next(*tree, Session::Options{directories->mount_point(), "/the/store", {}});
    next.mount();
    session->unmount();
    EXPECT_THAT(read_text(table), ::testing::HasSubstr("TARGET=" + directories->mount_point() + " "));
  }
  EXPECT_EQ(read_text(table), "");
  unsetenv("LIBMOUNT_UTAB");
}

TEST_F(Unmounting, OnlyMountsWhoseDaemonIsDeadAreDead) {
  const auto is_dead = [&] {
    const auto dead = dead_mounts();
    return std::any_of(dead.begin(), dead.end(),
                       [&](const MountLine& line) { return line.point == directories->mount_point(); });
  };
  start();
  expect(0, "touch a");
  EXPECT_FALSE(is_dead());
  session->stop();
  EXPECT_TRUE(served());
  server.join();
  session.reset();
  if (run_outside("findmnt $M").status == 0) run_outside("umount -l $M");
  {
    const MountPoint point(directories->mount_point(), "/store", {});
  }  // the connection is closed, as by a death
  EXPECT_TRUE(is_dead());
  for (const MountLine& line : dead_mounts()) {
    if (line.point == directories->mount_point()) clear_dead_mount(line);
  }
  EXPECT_FALSE(is_dead());
  EXPECT_EQ(run_outside("findmnt $M").status, 1);
}

}  // namespace tcmufs::fuse
