#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lio/config_tree.h"
#include "lio/kernel.h"
#include "lio/scsi_disk.h"
#include "sys/integers.h"
#include "volume/backstores.h"

namespace tcmufs::volume {

/// Where things are; other than these only in tests.
struct CleanupPlaces {
  lio::KernelPlaces kernel;
  std::string dev = "/dev";
  std::string links = "/dev/tcmufs";
  std::string nodes = "/run/tcmufs/nodes";
};

/// A volume that the kernel has, as a disk or half-made.
struct KernelVolume {
  KernelBackstore backstore;
  std::vector<std::string> links;  // "/dev/tcmufs/db0"
  std::optional<lio::ScsiDisk> disk;
  std::string server;                // the living process that serves it or is about to, in words
  std::vector<lio::Holder> holders;  // who uses the disk
  u64 waiting_writes = 0;            // commands that nobody answers

  /// "'db0' (/dev/sda)": what its link says, or its uuid.
  std::string shown(const CleanupPlaces& places) const;
  /// How unsynced data comes to be lost with it; empty if there can be none.
  std::string what_is_lost() const;
};

/// The volumes of the stores of these uuids, of all if there are none. Changes nothing, and waits for no
/// disk.
std::vector<KernelVolume> find_volumes(lio::ConfigTree& tree, const std::set<std::string>& stores,
                                       const CleanupPlaces& places = {});

struct CleanupOptions {
  std::set<std::string> stores;  // uuids; none: all, and also what bears no store's mark
  bool dry_run = false;
};

/// What there is to say, a sentence each, as it comes; by one thread at a time.
struct CleanupWords {
  std::function<void(const std::string&)> done;     // was removed, or would be, and what is lost with it
  std::function<void(const std::string&)> left;     // belongs to a process that lives
  std::function<void(const std::string&)> refused;  // the same, of a store that was named; or has failed
};

/// Removes what the kernel has of volumes that no process serves, their links and what udev was told of them:
/// without their daemon, so that whoever waits for their disks gets an error, and what is not synced is lost.
/// Nothing of a living daemon's, and nothing that bears no mark of ours.
void clean_up(lio::ConfigTree& tree, const CleanupOptions& options, const CleanupWords& words,
              const CleanupPlaces& places = {});

}  // namespace tcmufs::volume
