#pragma once

#include <optional>
#include <string>

#include "sys/integers.h"

namespace tcmufs::volume {

/// The symbolic link ROOT/PATH to a device node ("/dev/tcmufs/web/disk0"), made atomically; the directories
/// between are made as needed and removed when they are empty. Only a link that points nowhere, or to this
/// node, is ever replaced: anything else in the way is an error (EEXIST). Undoes itself.
class DeviceLink {
 public:
  DeviceLink(const std::string& root, const std::string& path, const std::string& node);
  ~DeviceLink() { remove(); }
  DeviceLink(const DeviceLink&) = delete;
  DeviceLink& operator=(const DeviceLink&) = delete;

  /// Another name for the same node: the new link is there before the old one goes.
  void move(const std::string& path);
  void remove() noexcept;

  std::string full() const { return root_ + "/" + path_; }

 private:
  void make() const;
  void make_once() const;
  void refuse_what_is_in_the_way() const;

  std::string root_;
  std::string path_;
  std::string node_;
};

/// The size of the disk that the link ROOT/PATH leads to, if there is one and its identity is `wwn`
/// ("naa.6001405..."): what the kernel knows of it, without asking it. `sysfs` is "/sys" outside tests.
std::optional<u64> linked_disk_size(const std::string& root, const std::string& path, const std::string& wwn,
                                    const std::string& sysfs = "/sys");

/// Removes ROOT/PATH if it is a link that points nowhere, and directories that are empty then; false if it is
/// not.
bool remove_dangling_link(const std::string& root, const std::string& path) noexcept;

/// Removes the links below `root` that point nowhere: what a daemon that died has left of disks that are
/// gone. Never throws: what cannot be removed harms nobody.
void remove_dangling_links(const std::string& root) noexcept;

}  // namespace tcmufs::volume
