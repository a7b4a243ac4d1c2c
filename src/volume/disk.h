#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lio/node_owner.h"
#include "lio/scsi_disk.h"
#include "scsi/logical_unit.h"
#include "store/block_store.h"
#include "sys/deadline.h"
#include "sys/fd.h"
#include "sys/uuid.h"
#include "volume/settings.h"
#include "volume/statistics.h"

namespace tcmufs::volume {

/// What a disk is made of, besides its store.
struct DiskOptions {
  std::string path;  // of the volume: "web/disk0"
  scsi::Identity identity;
  std::string keeper;      // whose it is, part of dev_config: the store's uuid
  std::optional<u32> hba;  // number of an HBA that it may share; none: one of its own
  std::string target_wwn;
  std::optional<u32> lun;
  bool lun_required = false;  // that LUN and no other: EBUSY if it is taken
  scsi::Format format;
  Settings settings;       // what of them is not in the format
  lio::FileOwner owner;    // whose its nodes are
  std::string link_root;   // "/dev/tcmufs"
  Deadline deadline;       // by which it must be ready
  Statistics& statistics;  // to be kept; outlives the disk
};

/// A store as a block device of this machine, from construction, which returns when the device answers, to
/// destruction, which returns when nothing of it is left. May be used by one thread at a time, which must not
/// serve anything that the kernel could wait for.
class Disk {
 public:
  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  virtual ~Disk() = default;

  /// Makes sure that nobody uses the disk or can begin to. Throws Failure (EBUSY) that says who does. The
  /// claim must be kept until the disk is gone; it is empty if it is gone already.
  [[nodiscard]] virtual Fd claim_idle() const = 0;
  /// Makes sure that nothing unwritten is left in the page cache, nor in the disk. Throws Failure.
  virtual void flush(const Fd& claim) const = 0;
  /// Whether somebody else has taken it away. Any thread.
  virtual bool is_gone() const = 0;
  /// For a disk that goes although it is used: writes out what can be written. Returns what could not, in
  /// words.
  virtual std::string flush_used() const noexcept = 0;

  /// Changes the size, online. Shrinking is the caller's risk: claim_idle() first. Throws Failure; the size
  /// is then what it was.
  virtual void resize(u64 size_bytes, const Deadline& deadline) = 0;
  /// Takes over the settings that a disk can be given while it is used (see only_tuned). Throws Failure.
  virtual void tune(const Settings& settings) = 0;
  /// Its nodes get another owner. Throws Failure.
  virtual void give_to(const lio::FileOwner& owner) = 0;
  /// The volume has a new path.
  virtual void move_link(const std::string& path) = 0;

  virtual const lio::ScsiDisk& device() const noexcept = 0;
  virtual u32 lun() const noexcept = 0;
  virtual std::string link() const = 0;
  /// What does its I/O, in a word: "io_uring".
  virtual std::string engine() const = 0;
  /// No command has changed the medium yet.
  virtual bool untouched() const noexcept = 0;
  /// What is not as it should be although the disk works, in words; empty if all is.
  virtual std::string warning() const { return {}; }
};

/// Makes a disk; throws Failure, and then nothing of it is left. `failed` is called, from a thread of the
/// disk, with a sentence when it can be served no longer.
using DiskMaker = std::function<std::unique_ptr<Disk>(const DiskOptions&, std::unique_ptr<store::BlockStore>,
                                                      std::function<void(const std::string&)> failed)>;

}  // namespace tcmufs::volume
