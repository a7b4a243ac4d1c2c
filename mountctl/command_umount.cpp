#include "mountctl/command_umount.h"

#include <poll.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <sstream>

#include "mountctl/mount_users.h"
#include "mountctl/progress.h"
#include "mountctl/refusal.h"
#include "mountctl/volume_list.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "sys/user_mounts.h"

namespace tcmufs::mountctl {

namespace {

// The daemon looks once a second who uses its disks: so long it may take for in use what was let go of just
// now.
constexpr auto noticing_time = std::chrono::milliseconds(2500);

/// Nothing: the daemon is dead.
std::optional<MountStatus> status_of_living(const std::string& mount) {
  try {
    return read_mount_status(mount);
  } catch (const Failure& failure) {
    if (failure.error() == ENOTCONN) return std::nullopt;
    throw;
  }
}

[[noreturn]] void refuse_used(const std::string& mount, const std::string& holders) {
  throw Refusal(ExitStatus::failed, "cannot unmount " + quoted(mount) + ", its disks are in use (EBUSY): " +
                                        holders + ". Let go of them first, or use 'mountctl umount --force'");
}

/// umount2 gave EBUSY: disks that have been taken into use since, or files of the mount itself.
[[noreturn]] void refuse_busy(const std::string& mount, pid_t daemon) {
  const auto status = status_of_living(mount);
  const std::string holders = status ? describe_holders(*status) : "";
  if (!holders.empty()) refuse_used(mount, holders);
  std::string text;
  for (const std::string& user : users_of_mount(mount, {daemon, ::getpid()}))
    text += (text.empty() ? ": " : ", ") + user;
  throw Refusal(ExitStatus::failed, "cannot unmount " + quoted(mount) + ", it is in use (EBUSY)" + text +
                                        ". Let go of it first, or use 'mountctl umount --force'");
}

void umount_now(const std::string& mount, bool force, pid_t daemon, const Umount2& umount2) {
  int error = 0;
  poll_until(Deadline::after(noticing_time), [&] {
    error = umount2(mount, UMOUNT_NOFOLLOW | (force ? MNT_DETACH : 0));
    return error != EBUSY;
  });
  if (error == EBUSY) refuse_busy(mount, daemon);
  if (error != 0) {
    throw Failure(error, "cannot unmount " + quoted(mount), error == EPERM ? "Only root may unmount it" : "");
  }
}

/// A descriptor that polls readable when the process has ended; none (errno) if it cannot be had.
Fd open_process(pid_t pid) {
  // The declaration in glibc 2.36 lacks its extern "C".
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

/// False: the deadline has passed first.
bool ended(const Fd& process, const Deadline& deadline) {
  for (;;) {
    // Rounded up, so that the last round does not spin.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left());
    constexpr std::chrono::milliseconds longest = std::chrono::hours(1);
    pollfd item{process.number(), POLLIN, 0};
    const int ready = ::poll(&item, 1, static_cast<int>(std::min(left, longest).count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) throw_errno("cannot wait for the daemon");
    if (deadline.passed()) return false;
  }
}

std::string process_text(pid_t pid) {
  return "the daemon (process " + std::to_string(pid) + ")";
}

}  // namespace

int system_umount2(const std::string& mount, int flags) {
  return ::umount2(mount.c_str(), flags) == 0 ? 0 : errno;
}

void unmount(const std::string& mount, const UmountOptions& options, const Umount2& umount2) {
  const Deadline deadline = Deadline::after(options.timeout);
  const auto status = status_of_living(mount);
  if (!status) {
    umount_now(mount, options.force, 0, umount2);
    remove_user_mount(mount);  // as the daemon would have done
    throw Refusal(ExitStatus::failed, quoted(mount) +
                                          " is unmounted, but its daemon had died before: disks may be "
                                          "left. Mount the store again to take them over, "
                                          "or give them up: mountctl cleanup");
  }
  Progress progress("waiting for the disks to be used no more");
  std::string holders = describe_holders(*status);
  if (!options.force && !holders.empty()) {
    poll_until(Deadline::after(noticing_time), [&] {
      const auto now = status_of_living(mount);
      holders = now ? describe_holders(*now) : "";
      return holders.empty();
    });
    if (!holders.empty()) refuse_used(mount, holders);
  }

  // Taken while the mount proves that the number is still the daemon's.
  const Fd daemon = open_process(status->pid);
  const int unseen = daemon ? 0 : errno;
  umount_now(mount, options.force, status->pid, umount2);
  if (!daemon) {
    throw Refusal(ExitStatus::failed,
                  Failure(unseen, quoted(mount) + " is unmounted, but " + process_text(status->pid) +
                                      " cannot be watched taking the disks down")
                      .what());
  }
  progress.now("waiting for " + process_text(status->pid) + " to take the disks down");
  if (!ended(daemon, deadline)) {
    std::ostringstream seconds;
    seconds << std::chrono::duration<double>(options.timeout).count();
    throw Refusal(ExitStatus::timed_out, quoted(mount) + " is unmounted, but " + process_text(status->pid) +
                                             " was not done taking the disks down within " + seconds.str() +
                                             " s. It goes on by itself; its log says what it waits for");
  }
}

}  // namespace tcmufs::mountctl
