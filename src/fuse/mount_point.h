#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "fuse/mount_options.h"
#include "fuse/mount_table.h"
#include "sys/fd.h"

namespace tcmufs::fuse {

/// The type under which the kernel shows our mounts.
inline constexpr const char* kMountType = "fuse.tcmufs";

/// The mounts of ours, in this mount namespace, whose daemon is dead. Waits up to 5 s for one that does not
/// answer, whose daemon may be dying. Throws Failure.
std::vector<MountLine> dead_mounts();
/// Unmounts one of these, whoever has files of it open. Throws Failure.
void clear_dead_mount(const MountLine& mount);

/// One mount of ours in this mount namespace. Not thread-safe, but present() may be called from any thread.
class MountPoint {
 public:
  /// Mounts. A dead mount of ours in the place (its daemon was killed) is cleared first; a living one is
  /// EBUSY. Throws Failure.
  MountPoint(const std::string& path, const std::string& source, const MountOptions& options);

  /// The connection to the kernel, open until it is taken.
  Fd take_device() { return std::move(device_); }

  /// Whether it still is in the mount table. It is not after umount -l, even if files of it are open.
  /// If the table cannot be read (no descriptors left), it is taken to be.
  bool present() const noexcept;

  /// Unmounts lazily if it is present and nothing is mounted on top of it. Once it is gone, however,
  /// umount(8) has no entry of it any more.
  void unmount() noexcept;

  const std::string& path() const { return path_; }

 private:
  std::string path_;  // absolute, without symbolic links
  int id_ = 0;        // as in the mount table; the kernel gives it to another mount when this one is gone
  mutable std::atomic<bool> gone_ = false;  // has been seen to be
  Fd device_;
};

}  // namespace tcmufs::fuse
