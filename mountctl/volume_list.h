#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::mountctl {

struct VolumeStatus {
  std::string name;  // path below the mount
  std::string state;
  u64 size_bytes = 0;
  std::string device;
  std::string link;
  std::string target;                // of one that is attached in place
  std::vector<std::string> holders;  // "mounted on '/srv'"
  std::string last_error;
};

struct MountStatus {
  std::string version;
  pid_t pid = 0;
  std::string store;
  std::vector<VolumeStatus> volumes;
};

/// The file .ctl/status.json of a mount. Keys that are not known are passed over, keys that are missing are
/// empty: the format only ever grows. `shown` is where the text is from. Throws Refusal for what is no such
/// document.
MountStatus parse_mount_status(const std::string& text, const std::string& shown);

/// One volume, as .ctl/vol/NAME/status.json and the list above have it.
VolumeStatus parse_volume_status(const std::string& text, const std::string& shown);

/// The array "volumes" of .ctl/status.json, indented, with every key that the daemon wrote: of the volumes
/// whose names begin with `prefix`.
std::string volumes_json(const std::string& text, const std::string& shown, const std::string& prefix = "");

std::string status_json_path(const std::string& mount);

/// Throws Failure (ENOTCONN: the daemon is dead) with what to do, or Refusal.
MountStatus read_mount_status(const std::string& mount);

/// "db0 is mounted on '/srv', open in process 17 (dd); web/disk0 is ...": empty if no disk is used.
std::string describe_holders(const MountStatus& status);

}  // namespace tcmufs::mountctl
