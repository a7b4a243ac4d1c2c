#include "volume/link_target.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <climits>
#include <deque>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lio/directory.h"
#include "sys/deadline.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::volume {

namespace {

constexpr int most_links = 40;  // as the kernel follows
constexpr auto lock_grace = std::chrono::seconds(3);

std::string link_to(const Fd& file) {
  return "/proc/self/fd/" + std::to_string(file.number());
}

struct stat status_of(const Fd& file) {
  struct stat st {};
  if (::fstat(file.number(), &st) != 0) throw_errno("cannot stat what a link leads to");
  return st;
}

std::string text_of_link(const Fd& link) {
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlinkat(link.number(), "", text.data(), text.size());
  if (length < 0) throw_errno("cannot read a symbolic link");
  return {text.data(), static_cast<std::size_t>(length)};
}

void prepend(std::deque<std::string>& names, const std::string& path) {
  std::deque<std::string> first;
  std::istringstream parts(path);
  for (std::string name; std::getline(parts, name, '/');) {
    if (!name.empty()) first.push_back(name);
  }
  names.insert(names.begin(), first.begin(), first.end());
}

/// An O_PATH descriptor of what is at the end of `target`.
Fd find(const std::string& target, const std::vector<dev_t>& closed) {
  const auto root = [] { return open_file("/", O_PATH | O_DIRECTORY); };
  std::deque<std::string> names;
  prepend(names, target);
  Fd at = root();
  int links = 0;
  while (!names.empty()) {
    Fd next(::openat(at.number(), names.front().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next) throw_errno("cannot find " + quoted(target));
    names.pop_front();
    struct statx status {};
    if (::statx(next.number(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE,
                &status) != 0) {
      throw_errno("cannot look at " + quoted(target));
    }
    const dev_t number = makedev(status.stx_dev_major, status.stx_dev_minor);
    if (std::find(closed.begin(), closed.end(), number) != closed.end())
      throw Failure(ELOOP, quoted(target) + " leads into a mount of tcmufs");
    if (!S_ISLNK(status.stx_mode)) {
      at = std::move(next);
      continue;
    }
    if (++links > most_links) throw Failure(ELOOP, quoted(target) + " leads through too many symbolic links");
    const std::string text = text_of_link(next);
    if (text.starts_with('/')) at = root();
    prepend(names, text);
  }
  return at;
}

std::string sysfs_of(dev_t number) {
  return "/sys/dev/block/" + std::to_string(major(number)) + ":" + std::to_string(minor(number));
}

/// The loop device that lies on the file, or "".
std::string loop_device_over(const struct stat& file) {
  for (const std::string& name : lio::names_in_if_there("/sys/block")) {
    if (!path_exists("/sys/block/" + name + "/loop/backing_file")) continue;
    const Fd device(::open(("/dev/" + name).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    loop_info64 info{};
    if (!device || ::ioctl(device.number(), LOOP_GET_STATUS64, &info) != 0) continue;
    if (info.lo_device == file.st_dev && info.lo_inode == file.st_ino) return "/dev/" + name;
  }
  return {};
}

[[noreturn]] void refuse_used(const Fd& device, const std::string& target) {
  const auto holders = lio::lasting_holders_of(block_device(device));
  throw Failure(EBUSY, "the block device " + quoted(target) + " is in use: " +
                           (holders.empty() ? "the kernel has given it to another" : describe(holders)));
}

void check_unlocked(const Fd& file, const std::string& target) {
  const bool locked = poll_until(Deadline::after(lock_grace), [&] {
    if (::flock(file.number(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) throw_errno("cannot lock " + quoted(target));
    return false;
  });
  if (!locked)
    throw Failure(EBUSY, quoted(target) + " is locked by another process",
                  "It may be a disk of another daemon already");
  ::flock(file.number(), LOCK_UN);
}

}  // namespace

void check_link_text(const std::string& target) {
  try {
    static_cast<void>(nlohmann::json(target).dump());
  } catch (const nlohmann::json::type_error&) {
    throw Failure(EILSEQ, "cannot attach a path that is no UTF-8");
  }
  const auto scheme_end = std::find_if(target.begin(), target.end(), [](unsigned char c) {
    return std::isalnum(c) == 0 && c != '+' && c != '-' && c != '.';
  });
  const std::string scheme(target.begin(), scheme_end);
  if (!scheme.empty() && std::isalpha(static_cast<unsigned char>(scheme.front())) != 0 &&
      std::string(scheme_end, target.end()).starts_with(':')) {
    throw Failure(EOPNOTSUPP, "cannot attach " + quoted(target) + ": no engine serves " + quoted(scheme),
                  "A link leads to a regular file or a block device of this machine");
  }
  if (!target.starts_with('/'))
    throw Failure(EINVAL, "cannot attach " + quoted(target) + ": it is no absolute path",
                  "Name the file or block device from / on");
}

std::vector<dev_t> tcmufs_mounts() {
  std::vector<dev_t> numbers;
  std::istringstream lines(read_text("/proc/self/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" - fuse.tcmufs ") == std::string::npos) continue;
    std::istringstream fields(line);
    std::string skipped;
    unsigned major_number = 0;
    unsigned minor_number = 0;
    char colon = 0;
    if (fields >> skipped >> skipped >> major_number >> colon >> minor_number)
      numbers.push_back(makedev(major_number, minor_number));
  }
  return numbers;
}

Fd open_link_target(const std::string& target, const std::vector<dev_t>& closed) {
  const Fd found = find(target, closed);
  const mode_t type = status_of(found).st_mode;
  if (!S_ISREG(type) && !S_ISBLK(type))
    throw Failure(EINVAL, quoted(target) + " is neither a regular file nor a block device");
  const std::string path = link_to(found);
  Fd file(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  const bool is_protected = !file && (errno == EROFS || errno == EACCES || errno == EPERM);
  if (is_protected) file = Fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) throw_errno("cannot open " + quoted(target));
  return file;
}

lio::ScsiDisk block_device(const Fd& file) {
  lio::ScsiDisk device;
  device.number = status_of(file).st_rdev;
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlink(sysfs_of(device.number).c_str(), text.data(), text.size());
  if (length > 0) {
    const std::string path(text.data(), static_cast<std::size_t>(length));
    device.name = path.substr(path.rfind('/') + 1);
  }
  device.node = "/dev/" + device.name;
  return device;
}

void check_unused(const Fd& file, const std::string& target) {
  const struct stat st = status_of(file);
  if (S_ISBLK(st.st_mode)) {
    const Fd claim(::open(link_to(file).c_str(), O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC));
    if (!claim && errno == EBUSY) refuse_used(file, target);
    if (!claim) throw_errno("cannot open " + quoted(target));
  } else if (const std::string loop = loop_device_over(st); !loop.empty()) {
    throw Failure(EBUSY, quoted(target) + " is in use: it lies under " + quoted(loop));
  }
  check_unlocked(file, target);
}

Fd open_anew(const Fd& file, int flags, const std::string& target, const Deadline& deadline) {
  const bool is_device = S_ISBLK(status_of(file).st_mode);
  flags |= (::fcntl(file.number(), F_GETFL) & O_ACCMODE) | O_CLOEXEC | (is_device ? O_EXCL : 0);
  Fd opened;
  const bool answered = poll_until(deadline, [&] {
    opened = Fd(::open(link_to(file).c_str(), flags));
    return opened || errno != EBUSY;
  });
  if (!answered) refuse_used(file, target);
  if (!opened) throw_errno("cannot open the image of " + quoted(target));
  return opened;
}

std::string medium_text(const Fd& file) {
  struct statx status {};
  if (::statx(file.number(), "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) != 0)
    throw_errno("cannot tell which file that is");
  if (!S_ISBLK(status.stx_mode)) {
    // Not the number of the device, which another mount of the same file system may have.
    return "inode " + std::to_string(status.stx_ino) + " born " + std::to_string(status.stx_btime.tv_sec) +
           "." + std::to_string(status.stx_btime.tv_nsec);
  }
  u64 sequence = 0;  // the kernel counts devices, so that one with the number of another is told apart
  ::ioctl(file.number(), BLKGETDISKSEQ, &sequence);
  return "device " + std::to_string(status.stx_rdev_major) + ":" + std::to_string(status.stx_rdev_minor) +
         " seen " + std::to_string(sequence);
}

bool same_medium(const struct stat& one, const struct stat& other) {
  if (S_ISBLK(one.st_mode) && S_ISBLK(other.st_mode)) return one.st_rdev == other.st_rdev;
  return S_ISREG(one.st_mode) && S_ISREG(other.st_mode) && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

bool lies_within(const Fd& file, const Fd& store) {
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlink(link_to(file).c_str(), text.data(), text.size());
  if (length <= 0) throw_errno("cannot tell where a file lies");
  const struct stat top = status_of(store);
  std::string path(text.data(), static_cast<std::size_t>(length));
  for (auto slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/')) {
    path.resize(slash);
    struct stat directory {};
    if (::stat((path + "/").c_str(), &directory) == 0 && directory.st_dev == top.st_dev &&
        directory.st_ino == top.st_ino) {
      return true;
    }
  }
  return false;
}

}  // namespace tcmufs::volume
