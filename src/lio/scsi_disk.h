#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "sys/deadline.h"
#include "sys/fd.h"
#include "sys/integers.h"

namespace tcmufs::lio {

/// The block device of a SCSI address ("H:C:T:L").
struct ScsiDisk {
  std::string address;
  std::string name;  // "sda"
  std::string node;  // "/dev/sda"
  std::string sg;    // "/dev/sg0", or empty where the sg module is not loaded
  dev_t number = 0;
  std::string wwid;  // as in sysfs, "naa.6001405...": what tells it from the next one at that address
};

/// Waits until the disk of that address exists, has `size_bytes` and answers a read of its first block, if
/// only with a reservation conflict; asks the kernel again for the size if that is another. A disk that the
/// kernel's scan has missed is not scanned for: tcm_loop's hosts (max_lun 0) find LUN 0 only, and complain
/// about every other; it must be unlinked and linked again. Throws Failure (ETIMEDOUT, at once EIO when the
/// first read fails). Blocks as long as that read is not answered. `sysfs` is "/sys", `dev` "/dev" outside
/// tests.
ScsiDisk wait_for_disk(const std::string& address, u64 size_bytes, const Deadline& deadline,
                       const std::string& sysfs = "/sys", const std::string& dev = "/dev");

/// Whether the kernel knows any device of that address, whatever its state.
bool is_known(const std::string& address, const std::string& sysfs = "/sys");

/// Whether the kernel has the disk no longer: somebody has unlinked its LUN, and nothing or another disk is
/// at its address.
bool is_gone(const ScsiDisk& disk, const std::string& sysfs = "/sys");

/// The disk whose identity is `wwn` ("naa.6001405...", as in sysfs), whatever its state: what the kernel
/// knows of it, without asking it. Nothing if there is none.
std::optional<ScsiDisk> find_disk(const std::string& wwn, const std::string& sysfs = "/sys",
                                  const std::string& dev = "/dev");

/// Makes the kernel read the capacity again and waits until the disk has `size_bytes`. Throws Failure.
void rescan_disk(const ScsiDisk& disk, u64 size_bytes, const Deadline& deadline,
                 const std::string& sysfs = "/sys");

/// One that keeps a disk from being removed.
struct Holder {
  std::string kind;    // "mount", "swap", "dm", "md", "process" ...
  std::string detail;  // mount point, dm name, "pid 17 (dd)"
};

/// Who uses the disk: mounts (also of its partitions), swap, stacked devices (sysfs holders), processes that
/// have the node open (this process not counted). `proc` is "/proc" outside tests.
std::vector<Holder> holders_of(const ScsiDisk& disk, const std::string& sysfs = "/sys",
                               const std::string& proc = "/proc");

/// The same without the processes: quick, however many there are.
std::vector<Holder> lasting_holders_of(const ScsiDisk& disk, const std::string& sysfs = "/sys",
                                       const std::string& proc = "/proc");

/// What block devices there are, and what lies on what: not the same text again once a disk has come, or
/// something has been stacked on one or taken from it, which no event tells. One look, however many disks.
std::string stacking(const std::string& sysfs = "/sys");

/// "mounted on '/srv'; open in process 17 (dd)".
std::string describe(const std::vector<Holder>& holders);

/// Takes the disk for removal: opens it with O_EXCL, so that nobody can mount it any more, waits up to
/// `grace` for those who only look at it (udev, blkid), and throws Failure (EBUSY) with the holders in the
/// sentence if it is used. An empty Fd if the disk is gone: then nobody can.
Fd claim_disk(const ScsiDisk& disk, Deadline::Clock::duration grace, const std::string& sysfs = "/sys",
              const std::string& proc = "/proc");

/// Writes out what the page cache holds of the disk and drops it (fsync, BLKFLSBUF). Throws Failure.
void flush_disk(const Fd& disk, const std::string& shown);

/// The same of one that is in use, after syncfs(2) of every file system that is mounted from it. Throws
/// Failure.
void flush_used_disk(const ScsiDisk& disk);

}  // namespace tcmufs::lio
