#include "daemon/predecessor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>

#include "fuse/mount_point.h"
#include "fuse/session.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "sys/text_file.h"
#include "volume/settings.h"

namespace tcmufs::daemon {

namespace {

constexpr int death_limit_ms = 10000;

// Without asking the file system that it is on, which may be the one that nobody serves any more.
struct statx status_of(const std::string& path) {
  struct statx file {};
  if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_INO, &file) != 0) return {};
  return file;
}

/// A process by a descriptor: its number cannot become another's.
class Process {
 public:
  explicit Process(pid_t pid) : pid_(pid), file_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

  bool exists() const { return static_cast<bool>(file_); }
  std::string directory() const { return "/proc/" + std::to_string(pid_); }
  bool has_open(const std::string& path) const {
    const struct statx wanted = status_of(path);
    if (wanted.stx_ino == 0) return false;
    std::error_code gone;
    for (std::filesystem::directory_iterator at(directory() + "/fd", gone), end; !gone && at != end;
         at.increment(gone)) {
      const struct statx file = status_of(at->path());
      if (file.stx_ino == wanted.stx_ino && file.stx_dev_major == wanted.stx_dev_major &&
          file.stx_dev_minor == wanted.stx_dev_minor)
        return true;
    }
    return false;
  }
  /// "tcmufs@disks", if it is one of ours that systemd has started.
  std::string service() const {
    const std::string suffix = ".service";
    std::string name;
    try {
      name = read_line(directory() + "/cgroup");
    } catch (const Failure&) {
      return {};
    }
    name.erase(0, name.rfind('/') + 1);
    if (!name.starts_with("tcmufs@") || !name.ends_with(suffix)) return {};
    return name.substr(0, name.size() - suffix.size());
  }
  void kill() const {
    if (::syscall(SYS_pidfd_send_signal, file_.number(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH)
      throw_errno("cannot end process " + std::to_string(pid_) + ", which serves the store");
    pollfd ended{file_.number(), POLLIN, 0};
    if (::poll(&ended, 1, death_limit_ms) == 0) {
      throw Failure(ETIMEDOUT, "process " + std::to_string(pid_) + ", which serves the store, does not die",
                    "It waits in the kernel, for its storage perhaps; try again when that answers");
    }
  }

 private:
  pid_t pid_;
  Fd file_;
};

pid_t number_in(const std::string& file) {
  pid_t number = 0;
  if (!path_exists(file)) return 0;
  const std::string text = read_line(file);
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

void end_predecessor(const Options& options, const Paths& paths) {
  const std::string lock = paths.store + "/.tcmufs/lock";
  const pid_t pid = number_in(lock);
  if (pid <= 0 || pid == ::getpid()) return;
  const Process process(pid);
  if (!process.exists() || !process.has_open(lock)) return;
  const std::string served = "the store " + quoted(paths.store) + " is served by ";
  if (const std::string service = process.service(); !service.empty())
    throw Failure(EBUSY, served + "the service " + quoted(service),
                  "To replace its daemon: systemctl restart " + service);
  for (const fuse::MountLine& mount : fuse::mount_table()) {
    if (mount.type == fuse::kMountType && mount.source == paths.store && mount.point != paths.mount_point)
      throw Failure(EINVAL,
                    served + "process " + std::to_string(pid) + " at " + quoted(mount.point) +
                        ", and cannot be moved to " + quoted(paths.mount_point),
                    "Give the same mount point");
  }
  // What would keep this process from serving keeps it from killing.
  fuse::check_options(options.mount_options);
  static_cast<void>(volume::with_settings({}, options.settings, "new volumes"));
  process.kill();
}

}  // namespace tcmufs::daemon
