#include "lio/scsi_disk.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>

#include "lio/directory.h"
#include "lio/disk_files.h"
#include "sys/errands.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

namespace {

using std::chrono::milliseconds;

// How long the kernel is left alone before it is asked for the size once more.
constexpr auto first_rescan = milliseconds(500);
constexpr auto next_rescan = milliseconds(2000);

constexpr std::size_t probe_bytes = 4096;

std::string device_directory(const std::string& sysfs, const std::string& address) {
  return sysfs + "/class/scsi_device/" + address + "/device";
}

// "H:C:T:L".
void validate(const std::string& address) {
  if (std::count(address.begin(), address.end(), ':') != 3) {
    throw Failure(EINVAL, "the address " + quoted(address) + " is none of SCSI");
  }
}

/// What stands between an address and a disk that works.
struct Obstacle {
  std::string sentence;
  int error = ETIMEDOUT;
  bool wrong_size = false;  // it has a disk, of another size
};

// Reads the first block past the page cache: what is wrong with it, or nothing, after the errno that stands
// for it.
Brought errand_read_first_block(const Arguments& arguments, const Fd& /*none*/) {
  const std::string& node = arguments[0];
  const auto obstacle = [](int error, const std::string& sentence) {
    return Brought{std::to_string(error) + " " + sentence, {}};
  };
  const int fd = ::open(node.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return obstacle(errno, quoted(node) + " cannot be opened");
  const Fd file(fd);
  alignas(probe_bytes) std::array<char, probe_bytes> block;
  const ssize_t n = ::pread(file.number(), block.data(), block.size(), 0);
  if (n < 0 && errno == EBADE) return {};  // it answers: another initiator has reserved it
  if (n < 0) return obstacle(errno, "the first block of " + quoted(node) + " cannot be read");
  if (n == 0) return obstacle(ETIMEDOUT, quoted(node) + " is empty");
  return {};
}

// Blocks while the device does not answer.
std::optional<Obstacle> try_read(const std::string& node) {
  const std::string found = run_errand(&errand_read_first_block, {node}).text;
  if (found.empty()) return std::nullopt;
  std::size_t end = 0;
  const int error = std::stoi(found, &end);
  return Obstacle{found.substr(end + 1), error};
}

/// Fills in the names; false if the SCSI device has no block device.
bool name_disk(ScsiDisk& disk, const std::string& device, const std::string& dev) {
  const auto blocks = names_in_if_there(device + "/block");
  if (blocks.empty()) return false;
  disk.name = blocks.front();
  disk.node = dev + "/" + disk.name;
  const auto sgs = names_in_if_there(device + "/scsi_generic");
  disk.sg = sgs.empty() ? "" : dev + "/" + sgs.front();
  disk.wwid = text_if_there(device + "/wwid");
  return true;
}

/// One look for the disk: fills `disk` and says what is still missing.
std::optional<Obstacle> look(ScsiDisk& disk, u64 size_bytes, const std::string& sysfs,
                             const std::string& dev) {
  const std::string device = device_directory(sysfs, disk.address);
  if (!is_known(disk.address, sysfs)) return Obstacle{"the kernel found no SCSI device there"};
  if (!name_disk(disk, device, dev)) {
    return Obstacle{"no block device belongs to it (is the module sd_mod loaded?)"};
  }
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

// It may be refused: the caller goes on looking.
void offer_rescan(const std::string& address, const std::string& sysfs) {
  try {
    write_kernel_file(device_directory(sysfs, address) + "/rescan", "1");
  } catch (const Failure&) {
    return;
  }
}

}  // namespace

ScsiDisk wait_for_disk(const std::string& address, u64 size_bytes, const Deadline& deadline,
                       const std::string& sysfs, const std::string& dev) {
  ScsiDisk disk;
  disk.address = address;
  validate(address);
  std::optional<Obstacle> obstacle;
  auto rescan_time = Deadline::Clock::now() + first_rescan;
  const bool there = poll_until(deadline, [&] {
    obstacle = look(disk, size_bytes, sysfs, dev);
    if (!obstacle || obstacle->error == EIO) return true;
    if (obstacle->wrong_size && Deadline::Clock::now() >= rescan_time) {
      offer_rescan(address, sysfs);
      rescan_time = Deadline::Clock::now() + next_rescan;
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

bool is_gone(const ScsiDisk& disk, const std::string& sysfs) {
  const std::string device = device_directory(sysfs, disk.address);
  return names_in_if_there(device + "/block").empty() || text_if_there(device + "/wwid") != disk.wwid;
}

std::optional<ScsiDisk> find_disk(const std::string& wwn, const std::string& sysfs, const std::string& dev) {
  for (const std::string& address : names_in_if_there(sysfs + "/class/scsi_device")) {
    const std::string device = device_directory(sysfs, address);
    if (text_if_there(device + "/wwid") != wwn) continue;
    ScsiDisk disk;
    disk.address = address;
    if (!name_disk(disk, device, dev)) continue;
    disk.number = device_number(sysfs + "/block/" + disk.name).value_or(0);
    return disk;
  }
  return std::nullopt;
}

void rescan_disk(const ScsiDisk& disk, u64 size_bytes, const Deadline& deadline, const std::string& sysfs) {
  write_kernel_file(device_directory(sysfs, disk.address) + "/rescan", "1");
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
