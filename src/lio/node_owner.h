#pragma once

#include <sys/types.h>

#include <string>

#include "lio/scsi_disk.h"

namespace tcmufs::lio {

/// Of a volume's file.
struct FileOwner {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t permissions = 0;

  bool operator==(const FileOwner&) const = default;
};

/// Who may use the nodes of a disk, /dev/sdX and /dev/sgN: the owner of its file; the group of the file, or
/// of all disks if that is root's; what the file's mode lets these two, and nobody else. If the file is
/// root's and of root's group, and others may not write to it, the nodes are what the system makes them.
///
/// udev gives nodes an owner at every event of the disk, so it has to be told: by the file RUN/WWN, from
/// before the disk's first event until the disk is gone. It is found by the WWN and not by the node's name,
/// which another disk may have next.
class NodeOwner {
 public:
  struct Places {
    std::string run = "/run/tcmufs/nodes";
    std::string sysfs = "/sys";
    std::string proc = "/proc";
  };

  /// Tells udev. `wwn` is as in sysfs: "naa.6001405...". What is there already is of a daemon that died.
  /// Throws Failure.
  NodeOwner(const std::string& wwn, const FileOwner& owner, Places places);
  NodeOwner(const std::string& wwn, const FileOwner& owner) : NodeOwner(wwn, owner, Places{}) {}
  ~NodeOwner();
  NodeOwner(const NodeOwner&) = delete;
  NodeOwner& operator=(const NodeOwner&) = delete;

  /// Gives the nodes to the owner. If the disk `was_there` before, udev may have set what it had been told
  /// until then, and is asked to look again. Throws Failure: ENODEV if they are no longer the disk's.
  void give(const ScsiDisk& disk, bool was_there);
  /// To another one. Throws Failure, and then takes back what it can.
  void change(const FileOwner& owner, const ScsiDisk& disk);
  /// The disk outlives this object, and so does what udev is told.
  void abandon() noexcept { told_.clear(); }

 private:
  void tell(const FileOwner& owner);

  Places places_;
  std::string file_;
  FileOwner owner_;
  std::string told_before_;  // what udev was told until the last change
  std::string told_;         // what it is told now; empty: nothing
};

/// What is left of a NodeOwner of a daemon that died. Never throws: it harms nobody.
void forget_node_owner(const std::string& wwn, const std::string& run = "/run/tcmufs/nodes") noexcept;

}  // namespace tcmufs::lio
