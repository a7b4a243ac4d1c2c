#pragma once

#include <mutex>
#include <string>

#include "lio/backstore.h"
#include "lio/config_directory.h"
#include "lio/config_tree.h"
#include "lio/reservations.h"
#include "sys/integers.h"

namespace tcmufs::lio {

/// loopback/naa.X/tpgt_1 with its nexus: one SCSI host of the machine's own. Undoes itself.
class LoopbackTarget {
 public:
  /// `wwn` is "naa." and 16 hexadecimal digits. Makes it, or takes over one that is there. The fabric's own
  /// directory ("loopback") is made if need be, and stays. Throws Failure; what was made is undone.
  LoopbackTarget(ConfigTree& tree, const std::string& wwn);
  ~LoopbackTarget();
  LoopbackTarget(const LoopbackTarget&) = delete;
  LoopbackTarget& operator=(const LoopbackTarget&) = delete;

  /// Removes it with the LUN directories that lead nowhere; throws Failure: EBUSY while a LUN is linked.
  void remove();
  void abandon() noexcept;

  const std::string& path() const noexcept { return tpgt_.path(); }  // "loopback/naa.X/tpgt_1"
  const std::string& address() const noexcept { return address_; }   // "H:C:T" of SCSI
  ConfigTree& tree() const noexcept { return tree_; }

 private:
  friend class Lun;

  ConfigTree& tree_;
  ConfigDirectory naa_;  // these two undo a construction that fails; from then on owned_ counts
  ConfigDirectory tpgt_;
  std::string address_;
  bool owned_ = false;
  std::mutex link_mutex_;  // one link or unlink at a time: of several at once the kernel misses some
};

/// Whether it is a name for a loopback target: "naa." and 16 hexadecimal digits.
bool is_naa(const std::string& wwn);

/// The name that this machine has as the initiator of the target `wwn`, which must be a good one.
std::string initiator_of(const std::string& wwn);

/// Removes "loopback/<wwn>", its tpgt_1 and the LUN directories that lead nowhere; what others made beside
/// tpgt_1 stays. Throws Failure: EBUSY, before anything is changed, if a LUN is linked.
void remove_target(ConfigTree& tree, const std::string& naa);

/// The link of a backstore into a target as LUN `lun`. Making it scans the disk inside symlink(2), undoing it
/// flushes and lets go inside unlink(2): the ring must be served before the one and until after the other, by
/// another thread. Undoes itself. Both wait for those of other LUNs of the same target. Before it is linked
/// the kernel is given the persistent reservations that it has kept.
class Lun {
 public:
  /// Numbers up to 16383. Takes over a link to `backstore` that is there; throws Failure: EBUSY if the LUN
  /// leads elsewhere.
  Lun(LoopbackTarget& target, u32 lun, const Backstore& backstore);
  ~Lun();
  Lun(const Lun&) = delete;
  Lun& operator=(const Lun&) = delete;

  void remove();
  void abandon() noexcept;

  /// "H:C:T:L".
  std::string address() const;
  bool taken_over() const noexcept { return taken_over_; }
  /// Which persistent reservations could not be restored, in words; empty if all were.
  const std::string& lost_reservations() const noexcept { return lost_reservations_; }

  /// Unlinks it and links it again, for a LUN whose disk the kernel missed: the only way to have it scanned.
  /// Throws Failure.
  void relink();

 private:
  void make_link(Restored which);

  LoopbackTarget& target_;
  u32 lun_;
  std::string backstore_;
  std::string serial_;
  ConfigDirectory directory_;
  std::string link_;
  std::string lost_reservations_;
  bool owned_ = false;
  bool taken_over_ = false;
};

}  // namespace tcmufs::lio
