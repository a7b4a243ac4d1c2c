#include "fuse/mount_point.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <future>
#include <thread>

#include "sys/error.h"
#include "sys/user_mounts.h"

namespace tcmufs::fuse {

namespace {

/// errno of stat(2), 0 if it succeeds. A mount whose daemon hangs does not answer: ETIMEDOUT after 5 s, and
/// the thread stays until it does.
int stat_error(const std::string& path, mode_t* mode) {
  std::promise<std::pair<int, mode_t>> promise;
  auto answer = promise.get_future();
  std::thread([path, promise = std::move(promise)]() mutable {
    struct stat file {};
    const int error = stat(path.c_str(), &file) == 0 ? 0 : errno;
    promise.set_value({error, file.st_mode});
  }).detach();
  if (answer.wait_for(std::chrono::seconds(5)) != std::future_status::ready) return ETIMEDOUT;
  const auto [error, found] = answer.get();
  if (mode != nullptr) *mode = found;
  return error;
}

/// A dead mount may be the last component, so that nothing but names is looked at.
std::string resolved(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  std::string real(PATH_MAX, '\0');
  if (realpath(path.c_str(), real.data()) == nullptr) {
    if (errno == ENOENT)
      throw Failure(ENOENT, "there is no mount point " + quoted(path), "make the directory first");
    throw_errno("cannot mount on " + quoted(path));
  }
  real.resize(real.find('\0'));
  return real;
}

void clear_dead_mounts(const std::string& path) {
  for (;;) {
    const auto top = topmost(mount_table(), path);
    if (!top || top->type != kMountType) return;
    if (stat_error(path, nullptr) != ENOTCONN) {
      throw Failure(EBUSY, quoted(path) + " is already a mount point of tcmufs, of " + quoted(top->source),
                    "unmount it first");
    }
    clear_dead_mount(*top);
  }
}

void must_be_a_directory(const std::string& path) {
  mode_t mode = 0;
  const int error = stat_error(path, &mode);
  if (error == ENOTCONN) {
    throw Failure(error, quoted(path) + " is a dead mount of another file system", "umount -l it first");
  }
  if (error != 0) throw Failure(error, "cannot mount on " + quoted(path));
  if (!S_ISDIR(mode))
    throw Failure(ENOTDIR, "cannot mount on " + quoted(path), "a mount point is a directory");
}

Fd open_device() {
  Fd device(open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (device) return device;
  if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
    throw_errno("cannot open '/dev/fuse'", "load the kernel's fuse module (modprobe fuse)");
  }
  throw_errno("cannot open '/dev/fuse'", "only root, or who may use the device, can mount");
}

}  // namespace

std::vector<MountLine> dead_mounts() {
  std::vector<MountLine> dead;
  const auto table = mount_table();
  for (const MountLine& line : table) {
    if (line.type != kMountType || topmost(table, line.point)->id != line.id) continue;
    if (stat_error(line.point, nullptr) == ENOTCONN) dead.push_back(line);
  }
  return dead;
}

void clear_dead_mount(const MountLine& mount) {
  if (umount2(mount.point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
    throw_errno("cannot clear the dead mount of tcmufs on " + quoted(mount.point));
  }
  remove_user_mount(mount.point);
}

MountPoint::MountPoint(const std::string& path, const std::string& source, const MountOptions& options)
    : path_(resolved(path)) {
  clear_dead_mounts(path_);
  must_be_a_directory(path_);
  device_ = open_device();
  const std::string data = "fd=" + std::to_string(device_.number()) +
                           ",rootmode=40000,user_id=" + std::to_string(getuid()) +
                           ",group_id=" + std::to_string(getgid()) + options.kernel;
  if (mount(source.c_str(), path_.c_str(), kMountType, options.flags, data.c_str()) != 0) {
    const int error = errno;
    throw Failure(error, "cannot mount on " + quoted(path_),
                  error == EPERM    ? "mounting needs root (CAP_SYS_ADMIN)"
                  : error == ENODEV ? "the kernel has no fuse: modprobe fuse"
                  : error == EINVAL ? "a value among the mount options is refused by the kernel"
                                    : "");
  }
  const auto top = topmost(mount_table(), path_);
  if (top && top->type == kMountType) id_ = top->id;
  enter_user_mount(path_);
}

bool MountPoint::present() const noexcept {
  if (gone_) return false;
  try {
    const auto table = mount_table();
    if (std::any_of(table.begin(), table.end(), [&](const MountLine& line) { return line.id == id_; }))
      return true;
    gone_ = true;
    return false;
  } catch (const std::exception&) {
    return true;
  }
}

void MountPoint::unmount() noexcept {
  try {
    const auto top = topmost(mount_table(), path_);
    if (!gone_ && top && top->id == id_) umount2(path_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    const auto now = mount_table();
    const bool another = std::any_of(now.begin(), now.end(), [&](const MountLine& line) {
      return line.point == path_ && line.type == kMountType;
    });
    if (!another) remove_user_mount(path_);
  } catch (const std::exception&) {  // without a mount table, what is there may be somebody else's
    return;
  }
}

}  // namespace tcmufs::fuse
