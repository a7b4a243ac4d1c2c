#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "lio/directory.h"
#include "lio/disk_files.h"
#include "lio/scsi_disk.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

namespace {

/// The disk or one of its partitions.
struct Part {
  std::string name;
  std::string node;
  dev_t number;
};

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

std::vector<Part> parts_of(const ScsiDisk& disk, const std::string& sysfs) {
  std::vector<Part> parts{{disk.name, disk.node, disk.number}};
  const std::string dev = directory_of(disk.node);
  const std::string directory = sysfs + "/block/" + disk.name + "/";
  for (const std::string& name : names_in_if_there(directory)) {
    if (!path_exists(directory + name + "/partition")) continue;
    if (const auto number = device_number(directory + name)) parts.push_back({name, dev + name, *number});
  }
  return parts;
}

// mountinfo and swaps write white space and backslashes as three octal digits.
std::string unescaped(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
        octal(text[i + 3])) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string resolved(const std::string& path) {
  char buffer[PATH_MAX];
  return ::realpath(path.c_str(), buffer) != nullptr ? std::string(buffer) : path;
}

class Users {
 public:
  Users(const ScsiDisk& disk, std::string sysfs, std::string proc)
      : sysfs_(std::move(sysfs)),
        proc_(std::move(proc)),
        disk_(disk.name),
        dev_(directory_of(disk.node)),
        parts_(parts_of(disk, sysfs_)) {
    for (const Part& part : parts_) nodes_.push_back(resolved(part.node));
  }

  std::vector<Holder> find() {
    holders_ = find_lasting();
    processes();
    return std::move(holders_);
  }

  // Without a look at every process: quick, however many there are.
  std::vector<Holder> find_lasting() {
    mounts();
    members_of_btrfs();
    swaps();
    stacked();
    loops();
    return std::move(holders_);
  }

 private:
  void mounts() {
    std::istringstream lines(text_if_there(proc_ + "/self/mountinfo"));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string id, parent, device, root, mount_point, word, type, source;
      words >> id >> parent >> device >> root >> mount_point;
      while (words >> word && word != "-") continue;
      words >> type >> source;
      if (is_number(device) || (is_anonymous(device) && is_node(unescaped(source)))) {
        add("mount", unescaped(mount_point));
      }
    }
  }

  // A mount of several devices names only one of them.
  void members_of_btrfs() {
    const bool mounted =
        std::any_of(holders_.begin(), holders_.end(), [](const auto& h) { return h.kind == "mount"; });
    if (mounted) return;
    const std::string btrfs = sysfs_ + "/fs/btrfs/";
    for (const std::string& uuid : names_in_if_there(btrfs)) {
      for (const Part& part : parts_) {
        if (path_exists(btrfs + uuid + "/devices/" + part.name)) add("btrfs", uuid);
      }
    }
  }

  void swaps() {
    std::istringstream lines(text_if_there(proc_ + "/swaps"));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      const std::string file = unescaped(line.substr(0, line.find_first_of(" \t")));
      if (is_node(file) || is_open(file)) add("swap", file);
    }
  }

  void stacked() {
    const std::string whole = sysfs_ + "/block/" + disk_;
    for (const Part& part : parts_) {
      const std::string directory = part.name == disk_ ? whole : whole + "/" + part.name;
      for (const std::string& name : names_in_if_there(directory + "/holders")) {
        if (name.starts_with("dm-")) {
          const std::string dm = text_if_there(sysfs_ + "/block/" + name + "/dm/name");
          add("dm", dm.empty() ? name : dm);
        } else {
          add(name.starts_with("md") ? "md" : "device", name);
        }
      }
    }
  }

  // The loop driver has a file open, and nothing else shows it.
  void loops() {
    for (const std::string& name : names_in_if_there(sysfs_ + "/block")) {
      if (!name.starts_with("loop")) continue;
      const std::string file = text_if_there(sysfs_ + "/block/" + name + "/loop/backing_file");
      if (!file.empty() && is_node(file)) add("device", name);
    }
  }

  void processes() {
    const std::string self = std::to_string(::getpid());
    for (const std::string& pid : names_in_if_there(proc_)) {
      if (pid.find_first_not_of("0123456789") != std::string::npos || pid == self) continue;
      const std::string fds = proc_ + "/" + pid + "/fd/";
      const auto names = names_in_if_there(fds);
      if (std::any_of(names.begin(), names.end(), [&](const auto& fd) { return is_open(fds + fd); })) {
        add("process", "pid " + pid + " (" + text_if_there(proc_ + "/" + pid + "/comm") + ")");
      }
    }
  }

  bool is_number(const std::string& device) const {
    const auto number = parse_device_number(device);
    return number &&
           std::any_of(parts_.begin(), parts_.end(), [&](const Part& p) { return p.number == *number; });
  }

  static bool is_anonymous(const std::string& device) {
    const auto number = parse_device_number(device);
    return number && major(*number) == 0;
  }

  bool is_node(const std::string& path) const {
    // Only below /dev: following any other path may ask a file system that does not answer, ours for one.
    return path.starts_with(dev_) && std::find(nodes_.begin(), nodes_.end(), resolved(path)) != nodes_.end();
  }

  bool is_open(const std::string& path) const {
    // Without asking the file system (FUSE, NFS) that the file is on, which may be waiting for us.
    struct statx file {};
    if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE, &file) != 0) return false;
    if (!S_ISBLK(file.stx_mode)) return false;
    const dev_t number = makedev(file.stx_rdev_major, file.stx_rdev_minor);
    return std::any_of(parts_.begin(), parts_.end(), [&](const Part& p) { return p.number == number; });
  }

  void add(const std::string& kind, const std::string& detail) { holders_.push_back({kind, detail}); }

  std::string sysfs_;
  std::string proc_;
  std::string disk_;
  std::string dev_;
  std::vector<Part> parts_;
  std::vector<std::string> nodes_;  // of the parts, symbolic links followed
  std::vector<Holder> holders_;
};

}  // namespace

std::vector<Holder> holders_of(const ScsiDisk& disk, const std::string& sysfs, const std::string& proc) {
  return Users(disk, sysfs, proc).find();
}

std::vector<Holder> lasting_holders_of(const ScsiDisk& disk, const std::string& sysfs,
                                       const std::string& proc) {
  return Users(disk, sysfs, proc).find_lasting();
}

std::string stacking(const std::string& sysfs) {
  std::string text;
  const auto say = [&text](std::string_view first, std::string_view second) {
    text.append(first).append(" ").append(second).append("\n");
  };
  const std::string blocks = sysfs + "/block/";
  for (const std::string& name : names_in_if_there(blocks)) {
    say(name, "");
    if (name.starts_with("sd")) continue;  // lies on nothing
    const std::string directory = blocks + name;
    for (const std::string& below : names_in_if_there(directory + "/slaves")) say("", below);
    if (name.starts_with("loop")) say("", text_if_there(directory + "/loop/backing_file"));
  }
  // A btrfs lets go of its devices after its mount is gone.
  const std::string btrfs = sysfs + "/fs/btrfs/";
  for (const std::string& uuid : names_in_if_there(btrfs)) {
    for (const std::string& member : names_in_if_there(btrfs + uuid + "/devices")) say(uuid, member);
  }
  return text;
}

}  // namespace tcmufs::lio
