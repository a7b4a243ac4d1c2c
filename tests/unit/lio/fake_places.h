#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "lio/scsi_disk.h"
#include "sys/error.h"

namespace tcmufs::test {

/// A temporary directory that stands for /sys, /proc and /dev, with one disk at 3:0:1:0 named sdx of number
/// 8:112 and its partition sdx1.
class FakePlaces {
 public:
  FakePlaces() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tcmufs-lio-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw_errno("cannot make a temporary directory");
    root_ = pattern;
    for (const std::string& place : {sysfs(), proc(), dev()}) std::filesystem::create_directories(place);
    write(proc() + "/self/mountinfo", "22 1 254:0 / / rw,relatime - ext4 /dev/root rw\n");
    write(proc() + "/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
  }
  ~FakePlaces() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  FakePlaces(const FakePlaces&) = delete;
  FakePlaces& operator=(const FakePlaces&) = delete;

  std::string sysfs() const { return root_ + "/sys"; }
  std::string proc() const { return root_ + "/proc"; }
  std::string dev() const { return root_ + "/dev"; }
  std::string root() const { return root_; }

  std::string device() const { return sysfs() + "/class/scsi_device/3:0:1:0/device"; }
  std::string block() const { return sysfs() + "/block/sdx"; }
  std::string scan() const { return sysfs() + "/class/scsi_host/host3/scan"; }

  lio::ScsiDisk disk() const {
    return {"3:0:1:0", "sdx", dev() + "/sdx", "", makedev(8, 112), "naa.60014051"};
  }

  /// The SCSI device and its block device.
  void add_disk(u64 size_bytes, const std::string& number = "8:112") const {
    directory(device() + "/block/sdx");
    directory(device() + "/scsi_generic/sg4");
    write(device() + "/rescan", "");
    write(device() + "/wwid", disk().wwid + "\n");
    write(block() + "/dev", number + "\n");
    write(block() + "/size", std::to_string(size_bytes / 512) + "\n");
    directory(block() + "/holders");
    write(block() + "/sdx1/dev", "8:113\n");
    write(block() + "/sdx1/partition", "1\n");
    directory(block() + "/sdx1/holders");
  }
  void add_host() const { write(scan(), ""); }

  /// /dev/sdx leads to a real block device.
  void add_node(const std::string& real) const { std::filesystem::create_symlink(real, dev() + "/sdx"); }

  static void directory(const std::string& path) { std::filesystem::create_directories(path); }
  static void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  static std::string text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string root_;
};

/// The path of a block device of this machine for which `suits` is true; empty if there is none.
template <typename Suits>
std::string real_block_device(Suits suits) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/dev", error)) {
    struct stat st {};
    const std::string path = entry.path().string();
    if (::stat(path.c_str(), &st) == 0 && S_ISBLK(st.st_mode) && suits(path)) return path;
  }
  return {};
}

inline dev_t number_of(const std::string& node) {
  struct stat st {};
  if (::stat(node.c_str(), &st) != 0) throw_errno("cannot look at " + quoted(node));
  return st.st_rdev;
}

}  // namespace tcmufs::test
