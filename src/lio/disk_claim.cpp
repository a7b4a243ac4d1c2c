#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lio/scsi_disk.h"
#include "sys/errands.h"
#include "sys/error.h"

namespace tcmufs::lio {

namespace {

std::string sentence_of(const Holder& holder) {
  if (holder.kind == "mount") return "mounted on '" + holder.detail + "'";
  if (holder.kind == "btrfs") return "part of the mounted btrfs " + holder.detail;
  if (holder.kind == "swap") return "used as swap";
  if (holder.kind == "dm") return "used by the device-mapper device '" + holder.detail + "'";
  if (holder.kind == "md") return "used by the array '" + holder.detail + "'";
  if (holder.kind == "process") {
    const std::string pid = "pid ";
    return "open in process " + holder.detail.substr(holder.detail.starts_with(pid) ? pid.size() : 0);
  }
  return "used by " + quoted(holder.detail);
}

Arguments with_disk(Arguments arguments, const ScsiDisk& disk) {
  for (const std::string& part :
       {disk.address, disk.name, disk.node, disk.sg, std::to_string(disk.number), disk.wwid})
    arguments.push_back(part);
  return arguments;
}

ScsiDisk disk_of(const Arguments& arguments, std::size_t at) {
  return {arguments[at],
          arguments[at + 1],
          arguments[at + 2],
          arguments[at + 3],
          static_cast<dev_t>(std::stoull(arguments[at + 4])),
          arguments[at + 5]};
}

bool stays(const Holder& holder) {
  return holder.kind != "process";
}

[[noreturn]] void refuse(const ScsiDisk& disk, const std::vector<Holder>& holders) {
  throw Failure(EBUSY,
                "the disk " + quoted(disk.node) + " is in use: " +
                    (holders.empty() ? "the kernel has given it to another (a mount in another namespace?)"
                                     : describe(holders)));
}

}  // namespace

std::string describe(const std::vector<Holder>& holders) {
  std::string text;
  for (const Holder& holder : holders) {
    if (!text.empty()) text += "; ";
    text += sentence_of(holder);
  }
  return text;
}

namespace {

Fd claim(const ScsiDisk& disk, Deadline::Clock::duration grace, const std::string& sysfs,
         const std::string& proc) {
  const Deadline deadline = Deadline::after(grace);
  Fd claimed;
  std::vector<Holder> holders;
  bool gone = false;
  const bool free = poll_until(deadline, [&] {
    gone = is_gone(disk, sysfs);
    if (gone) return true;
    if (!claimed) {
      // Read-only: closing a descriptor for writing makes udev look at the disk again.
      const int fd = ::open(disk.node.c_str(), O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
      if (fd < 0 && errno != EBUSY) throw_errno("cannot open the disk " + quoted(disk.node));
      claimed = Fd(fd);
      struct stat st {};
      if (claimed && ::fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev != disk.number) {
        throw Failure(ENXIO, quoted(disk.node) + " is another disk by now");
      }
    }
    holders = holders_of(disk, sysfs, proc);
    if (std::any_of(holders.begin(), holders.end(), stays)) refuse(disk, holders);
    return claimed && holders.empty();
  });
  if (!free) refuse(disk, holders);
  return gone ? Fd() : std::move(claimed);
}

Brought errand_claim(const Arguments& arguments, const Fd& /*none*/) {
  const Deadline::Clock::duration grace(std::stoll(arguments[2]));
  return {"", claim(disk_of(arguments, 3), grace, arguments[0], arguments[1])};
}

void flush(const Fd& disk, const std::string& shown) {
  if (::fsync(disk.number()) != 0) throw_errno("cannot write out what is cached of " + quoted(shown));
  if (::ioctl(disk.number(), BLKFLSBUF, 0) != 0)
    throw_errno("cannot drop what is cached of " + quoted(shown));
}

Brought errand_flush(const Arguments& arguments, const Fd& disk) {
  flush(disk, arguments[0]);
  return {};
}

Brought errand_flush_used(const Arguments& arguments, const Fd& /*none*/) {
  const ScsiDisk disk = disk_of(arguments, 0);
  for (const Holder& holder : lasting_holders_of(disk)) {
    if (holder.kind != "mount") continue;
    const Fd mount_point = open_file(holder.detail, O_RDONLY | O_DIRECTORY);
    if (::syncfs(mount_point.number()) != 0)
      throw_errno("cannot sync what is mounted on " + quoted(holder.detail));
  }
  flush(open_file(disk.node, O_RDONLY), disk.node);
  return {};
}

}  // namespace

Fd claim_disk(const ScsiDisk& disk, Deadline::Clock::duration grace, const std::string& sysfs,
              const std::string& proc) {
  return run_errand(&errand_claim, with_disk({sysfs, proc, std::to_string(grace.count())}, disk)).file;
}

void flush_disk(const Fd& disk, const std::string& shown) {
  run_errand(&errand_flush, {shown}, disk);
}

void flush_used_disk(const ScsiDisk& disk) {
  run_errand(&errand_flush_used, with_disk({}, disk));
}

}  // namespace tcmufs::lio
