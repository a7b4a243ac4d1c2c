#include "lio/scsi_disk.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>

#include "lio/directory.h"
#include "lio/disk_files.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

namespace {

using std::chrono::milliseconds;

// How long the kernel is left alone before it is asked once more.
constexpr auto first_nudge = milliseconds(500);
constexpr auto next_nudge = milliseconds(2000);

constexpr std::size_t probe_bytes = 4096;

std::string device_directory(const std::string& sysfs, const std::string& address) {
  return sysfs + "/class/scsi_device/" + address + "/device";
}

// "H", "C", "T", "L".
std::array<std::string, 4> split(const std::string& address) {
  std::array<std::string, 4> parts;
  std::size_t part = 0;
  for (const char c : address) {
    if (c == ':' && ++part == parts.size()) break;
    if (c != ':') parts[part] += c;
  }
  if (part != parts.size() - 1) throw Failure(EINVAL, "the address " + quoted(address) + " is none of SCSI");
  return parts;
}

/// What stands between an address and a disk that works.
struct Obstacle {
  std::string sentence;
  int error = ETIMEDOUT;
  bool missed = false;      // the kernel knows no device of that address
  bool wrong_size = false;  // it has a disk, of another size
};

// Reads the first block past the page cache. Blocks while the device does not answer.
std::optional<Obstacle> try_read(const std::string& node) {
  const int fd = ::open(node.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Obstacle{quoted(node) + " cannot be opened", errno};
  const Fd file(fd);
  alignas(probe_bytes) std::array<char, probe_bytes> block;
  const ssize_t n = ::pread(file.number(), block.data(), block.size(), 0);
  if (n < 0 && errno == EBADE) return std::nullopt;  // it answers: another initiator has reserved it
  if (n < 0) return Obstacle{"the first block of " + quoted(node) + " cannot be read", errno};
  if (n == 0) return Obstacle{quoted(node) + " is empty", ETIMEDOUT};
  return std::nullopt;
}

/// One look for the disk: fills `disk` and says what is still missing.
std::optional<Obstacle> look(ScsiDisk& disk, u64 size_bytes, const std::string& sysfs,
                             const std::string& dev) {
  const std::string device = device_directory(sysfs, disk.address);
  if (!is_known(disk.address, sysfs))
    return Obstacle{.sentence = "the kernel found no SCSI device there", .missed = true};
  const auto blocks = names_in_if_there(device + "/block");
  if (blocks.empty()) return Obstacle{"no block device belongs to it (is the module sd_mod loaded?)"};
  disk.name = blocks.front();
  disk.node = dev + "/" + disk.name;
  const auto sgs = names_in_if_there(device + "/scsi_generic");
  disk.sg = sgs.empty() ? "" : dev + "/" + sgs.front();
  const auto number = device_number(sysfs + "/block/" + disk.name);
  if (!number) return Obstacle{quoted(disk.name) + " has no device number"};
  disk.number = *number;
  const auto size = disk_size_bytes(sysfs, disk.name);
  if (size != size_bytes) {
    return Obstacle{.sentence = quoted(disk.name) + " has " + (size ? std::to_string(*size) : "no") +
                                " bytes, not " + std::to_string(size_bytes),
                    .wrong_size = true};
  }
  struct stat st {};
  if (::stat(disk.node.c_str(), &st) != 0) return Obstacle{quoted(disk.node) + " does not exist"};
  if (!S_ISBLK(st.st_mode) || st.st_rdev != disk.number) {
    return Obstacle{quoted(disk.node) + " is not the block device " + std::to_string(major(disk.number)) +
                    ":" + std::to_string(minor(disk.number))};
  }
  return try_read(disk.node);
}

// Writes what may be refused: the caller goes on looking.
bool offer(const std::string& path, const std::string& text) {
  try {
    write_text(path, text);
    return true;
  } catch (const Failure&) {
    return false;
  }
}

void nudge(const std::string& address, const Obstacle& obstacle, const std::string& sysfs) {
  if (obstacle.missed) {
    const auto [host, channel, target, lun] = split(address);
    const std::string scan = sysfs + "/class/scsi_host/host" + host + "/scan";
    const std::string place = channel + " " + target + " ";
    // tcm_loop's hosts (max_lun 0) refuse every LUN that is named; asked for all of them, they find LUN 0.
    if (!offer(scan, place + lun)) offer(scan, place + "-");
  }
  if (obstacle.wrong_size) offer(device_directory(sysfs, address) + "/rescan", "1");
}

}  // namespace

ScsiDisk wait_for_disk(const std::string& address, u64 size_bytes, const Deadline& deadline,
                       const std::string& sysfs, const std::string& dev) {
  ScsiDisk disk;
  disk.address = address;
  static_cast<void>(split(address));
  std::optional<Obstacle> obstacle;
  auto nudge_time = Deadline::Clock::now() + first_nudge;
  const bool there = poll_until(deadline, [&] {
    obstacle = look(disk, size_bytes, sysfs, dev);
    if (!obstacle || obstacle->error == EIO) return true;
    if (Deadline::Clock::now() >= nudge_time) {
      nudge(address, *obstacle, sysfs);
      nudge_time = Deadline::Clock::now() + next_nudge;
    }
    return false;
  });
  if (there && !obstacle) return disk;
  throw Failure(obstacle->error,
                "no disk came up at the SCSI address " + address + ": " + obstacle->sentence);
}

bool is_known(const std::string& address, const std::string& sysfs) {
  return path_exists(device_directory(sysfs, address));
}

void rescan_disk(const ScsiDisk& disk, u64 size_bytes, const Deadline& deadline, const std::string& sysfs) {
  write_text(device_directory(sysfs, disk.address) + "/rescan", "1");
  std::optional<u64> size;
  const bool changed = poll_until(deadline, [&] {
    size = disk_size_bytes(sysfs, disk.name);
    return size == size_bytes;
  });
  if (changed) return;
  throw Failure(ETIMEDOUT, "the disk " + quoted(disk.node) + " did not take its new size: it has " +
                               (size ? std::to_string(*size) : "no") + " bytes, not " +
                               std::to_string(size_bytes));
}

}  // namespace tcmufs::lio
