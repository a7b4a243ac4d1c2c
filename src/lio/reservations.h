#pragma once

#include <string>

#include "lio/config_tree.h"
#include "sys/integers.h"

namespace tcmufs::lio {

/// Persistent reservations are the kernel's: it answers the commands, and for a device whose last
/// registration had APTPL set it keeps all registrations in a file named after the device's serial, on whose
/// reading back it relies on us.

/// Where the kernel keeps the registrations of the device of that serial: "/etc/target/pr/aptpl_<serial>".
/// Throws Failure.
std::string reservation_file(ConfigTree& tree, const std::string& serial);

/// A device, and the LUN of a loopback target that it is about to become.
struct RestoredDevice {
  std::string backstore;  // "core/user_7/NAME", exported nowhere
  std::string serial;
  std::string tpgt;  // "loopback/naa.X/tpgt_1", with its nexus
  u32 lun = 0;
};

enum class Restored {
  everything,      // for a device that is new
  this_nexus_only  // for one whose LUN was unlinked: those of other nexuses are still there, or still wait
};

/// Gives the kernel the registrations that it has kept: they take effect when their nexus gets its LUN. If a
/// target of ours was the device's and has another name or LUN by now, the machine's own registration follows
/// it there. Returns in words what could not be restored, which keeps nobody from using the disk; empty if
/// all was. Throws Failure only if configfs itself cannot be read.
std::string restore_reservations(ConfigTree& tree, const RestoredDevice& device, Restored which);

/// Removes the file of a device that will never be again; fine if there is none. Throws Failure.
void forget_reservations(ConfigTree& tree, const std::string& serial);

/// Why the kernel cannot keep reservations in `directory`, in words; empty if it can.
std::string reservations_trouble(const std::string& directory);

}  // namespace tcmufs::lio
