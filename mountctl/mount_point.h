#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace tcmufs::mountctl {

struct MountPoint {
  std::string path;  // absolute, without symbolic links
  dev_t device = 0;  // the same for all mounts of one daemon
};

/// The tcmufs mounts that can be reached (nothing else is mounted over them), in the order they were made.
/// Throws Failure that names the file.
std::vector<MountPoint> find_mounts(const std::string& mountinfo = "/proc/self/mountinfo");

/// What is mounted on the directory `path` (absolute, resolved), like /dev/sda1; nothing if nothing is.
/// Throws Failure.
std::optional<std::string> source_mounted_on(const std::string& path, const std::string& mountinfo);

/// The mount that `wanted` names, or, if it is empty, the only one there is. Does not touch the mount itself,
/// whose daemon may be dead. Throws Refusal that names the candidates.
std::string choose_mount(const std::string& wanted, const std::vector<MountPoint>& mounts);

}  // namespace tcmufs::mountctl
