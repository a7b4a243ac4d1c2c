#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::lio {

/// A registration of an I_T nexus (SPC-4 5.12.7) for persistent reservations, as the kernel keeps it across
/// restarts.
struct Registration {
  std::string initiator_fabric;  // "loopback", "iSCSI"
  std::string initiator_node;
  std::string initiator_sid;  // of fabrics that have one (iSCSI's ISID), else empty
  u64 key = 0;
  bool holder = false;  // of the reservation
  u64 type = 0;         // of the reservation: 1, 3, 5, 6, 7, 8
  bool all_target_ports = false;
  u64 mapped_lun = 0;
  std::string target_fabric;
  std::string target_node;
  u64 tpgt = 0;
  u64 port_rtpi = 0;  // of the time when it was written: the kernel gives the port a number anew
  u64 target_lun = 0;

  /// For one write to pr/res_aptpl_metadata. Its numbers are decimal and without a leading zero: the kernel
  /// itself writes type 8 as "08", which it then takes for octal and refuses.
  std::string metadata() const;

  /// What the kernel finds a registration's nexus by, and the ISID.
  bool same_nexus(const Registration& other) const;
};

struct ParsedRegistrations {
  std::vector<Registration> registrations;
  std::vector<std::string> problems;  // "line 7: ..."
};

/// The text of a file pr/aptpl_<serial> (target_core_pr.c, core_scsi3_update_aptpl_buf). Any text is
/// survived: what is wrong with it is in `problems`, and a registration is complete and fit for the kernel or
/// not among `registrations`.
ParsedRegistrations parse_registrations(std::string_view text);

}  // namespace tcmufs::lio
