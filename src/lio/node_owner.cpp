#include "lio/node_owner.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "lio/disk_event.h"
#include "lio/disk_files.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

namespace {

constexpr mode_t access_bits = 0660;
constexpr mode_t as_made = 0600;  // by the kernel, for root
constexpr gid_t keep = static_cast<gid_t>(-1);

bool is_systems(const FileOwner& owner) {
  return owner.uid == 0 && owner.gid == 0 && (owner.permissions & S_IWOTH) == 0;
}

// Somebody else than root says what is on it.
bool is_foreign(const FileOwner& owner) {
  return owner.uid != 0 || (owner.gid != 0 && (owner.permissions & S_IWGRP) != 0) ||
         (owner.permissions & S_IWOTH) != 0;
}

bool tells_group(const std::string& told) {
  return told.find("TCMUFS_GROUP=") != std::string::npos;
}

std::string octal(mode_t mode) {
  std::string text = "0000";
  for (std::size_t at = 3; at > 0; --at, mode >>= 3) text[at] = static_cast<char>('0' + (mode & 7));
  return text;
}

std::string text_for(const FileOwner& owner) {
  std::string text = "TCMUFS_OWNER=" + std::to_string(owner.uid) + "\n";
  if (is_systems(owner)) return text;
  if (owner.gid != 0) text += "TCMUFS_GROUP=" + std::to_string(owner.gid) + "\n";
  text += "TCMUFS_MODE=" + octal(owner.permissions & access_bits) + "\n";
  if (is_foreign(owner)) text += "TCMUFS_FOREIGN=1\n";
  return text;
}

void make_directories(const std::string& path) {
  for (auto end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    if (::mkdir(path.substr(0, end).c_str(), 0755) != 0 && errno != EEXIST) {
      throw_errno("cannot create the directory " + quoted(path.substr(0, end)));
    }
  }
}

/// The node, held so that it stays the same whatever happens to its name.
class Node {
 public:
  Node(const std::string& path, dev_t number)
      : path_(path), file_(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)) {
    if (!file_) throw_errno("cannot open the device node " + quoted(path));
    struct stat st {};
    if (::fstat(file_.number(), &st) != 0) throw_errno("cannot stat " + quoted(path));
    if ((!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode)) || st.st_rdev != number) {
      throw Failure(ENODEV, quoted(path) + " is another device by now");
    }
    mode_ = st.st_mode & 07777;
  }

  // In between nobody is let in whom neither the old nor the new owner would let in.
  void give(uid_t uid, gid_t gid, mode_t mode) {
    set_mode(mode_ & mode);
    if (::fchownat(file_.number(), "", uid, gid, AT_EMPTY_PATH) != 0) {
      throw_errno("cannot change the owner of the device node " + quoted(path_));
    }
    set_mode(mode);
  }

 private:
  void set_mode(mode_t mode) const {
    if (::chmod(("/proc/self/fd/" + std::to_string(file_.number())).c_str(), mode) != 0) {
      throw_errno("cannot change the mode of the device node " + quoted(path_));
    }
  }

  std::string path_;
  Fd file_;
  mode_t mode_ = 0;
};

}  // namespace

NodeOwner::NodeOwner(const std::string& wwn, const FileOwner& owner, Places places)
    : places_(std::move(places)), file_(places_.run + "/" + wwn), owner_(owner) {
  if (path_exists(file_)) told_ = read_text(file_);
  tell(owner);
}

NodeOwner::~NodeOwner() {
  if (!told_.empty()) ::unlink(file_.c_str());
}

void NodeOwner::tell(const FileOwner& owner) {
  told_before_ = told_;
  owner_ = owner;
  // Of nodes that have been somebody else's, udev has to be told that they are not any more.
  if (is_systems(owner) && told_.empty()) return;
  make_directories(file_);
  const std::string text = text_for(owner);
  replace_file(file_, file_ + ".new", text);
  told_ = text;
}

void NodeOwner::give(const ScsiDisk& disk, bool was_there) {
  // Whether a daemon that died had come as far as the nodes after it had taken an owner back, nobody knows.
  const bool anew = was_there && (told_before_ != told_ || is_systems(owner_));
  if (told_.empty() || (is_systems(owner_) && !anew)) return;
  const mode_t mode = is_systems(owner_) ? as_made : owner_.permissions & access_bits;
  const gid_t gid = owner_.gid != 0 || tells_group(told_before_) ? owner_.gid : keep;
  const std::string device = places_.sysfs + "/class/scsi_device/" + disk.address + "/device";
  if (!path_exists(device + "/block/" + disk.name)) {
    throw Failure(ENODEV, "the disk " + quoted(disk.node) + " is gone");
  }
  Node(disk.node, disk.number).give(owner_.uid, gid, mode);
  if (!disk.sg.empty()) {
    const auto number = device_number(device + "/scsi_generic/" + disk.sg.substr(disk.sg.rfind('/') + 1));
    if (!number) throw Failure(ENODEV, "the device " + quoted(disk.sg) + " is gone");
    Node(disk.sg, *number).give(owner_.uid, gid, mode);
  }
  // A disk in use is left alone: udev could take away one of its names, and systemd what is mounted by that.
  if (anew && lasting_holders_of(disk, places_.sysfs, places_.proc).empty())
    announce_again(disk, places_.sysfs);
}

void NodeOwner::change(const FileOwner& owner, const ScsiDisk& disk) {
  if (owner == owner_) return;
  const FileOwner before = owner_;
  tell(owner);
  try {
    give(disk, true);
  } catch (...) {
    tell(before);
    try {
      give(disk, true);
    } catch (const std::exception&) {  // said already
    }
    throw;
  }
}

void forget_node_owner(const std::string& wwn, const std::string& run) noexcept {
  ::unlink((run + "/" + wwn).c_str());
}

}  // namespace tcmufs::lio
