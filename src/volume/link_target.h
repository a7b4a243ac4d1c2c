#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "lio/scsi_disk.h"
#include "sys/deadline.h"
#include "sys/fd.h"

namespace tcmufs::volume {

/// Throws Failure: EOPNOTSUPP (a URI), EINVAL (no absolute path), EILSEQ (no UTF-8, which the record is).
void check_link_text(const std::string& target);

/// The device numbers of all mounts of tcmufs.
std::vector<dev_t> tcmufs_mounts();

/// Opens the regular file or block device `target` for reading and writing, or, where it is write-protected,
/// for reading. Never enters a file system whose number is in `closed` (ELOOP), not even to look: who makes a
/// link in a mount holds the kernel's lock of its directory, and whoever serves the mount would wait for
/// himself. Throws Failure; EINVAL: it is something else.
Fd open_link_target(const std::string& target, const std::vector<dev_t>& closed);

/// The block device `file` as those who look for holders know it.
lio::ScsiDisk block_device(const Fd& file);

/// Throws Failure (EBUSY) if somebody else uses it: a block device that is mounted or held in another way, a
/// file that is locked (flock(2)) or lies under a loop device. A lock is waited for, 3 s at most, since udev
/// takes one to look at a device. `target` is for the sentence.
void check_unused(const Fd& file, const std::string& target);

/// Opens the image `file` anew, for as much as it is open for; `flags` are further flags of open(2). A block
/// device is then ours alone (O_EXCL); a dead predecessor may take until `deadline` to let go of it. Throws
/// Failure; EBUSY says who uses it.
Fd open_anew(const Fd& file, int flags, const std::string& target, const Deadline& deadline);

/// Which file or block device that is, in a form to be kept: the same as long as the same is there, over
/// mounts and starts of the machine, another for what takes its place. Throws Failure.
std::string medium_text(const Fd& file);

/// Whether both are the same regular file or the same block device, whatever their names.
bool same_medium(const struct stat& one, const struct stat& other);

/// Whether `file` lies in the directory `store` or below it.
bool lies_within(const Fd& file, const Fd& store);

}  // namespace tcmufs::volume
