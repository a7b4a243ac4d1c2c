#pragma once

#include <string>
#include <vector>

#include "lio/config_tree.h"
#include "sys/integers.h"

namespace tcmufs::lio {

/// A LUN of a loopback target that leads to a backstore.
struct LoopbackLink {
  std::string path;  // "loopback/naa.X/tpgt_1/lun/lun_0/NAME"

  std::string tpgt() const;
  std::string lun_directory() const;
  std::string wwn() const;  // "naa.X"
  u32 lun() const;
};

/// The backstores ("core/user_7/NAME") that volumes of that store left in the kernel, enabled or half-made:
/// those whose dev_config is "tcmufs/<store_uuid>/..." . One that a crash left before it had a dev_config is
/// not among them: it is found when its volume is made again.
std::vector<std::string> backstores_of(ConfigTree& tree, const std::string& store_uuid);

/// The dev_config of a backstore, "tcmufs/<store uuid>/<volume uuid>".
std::string dev_config_of(ConfigTree& tree, const std::string& backstore);

std::vector<LoopbackLink> loopback_links_of(ConfigTree& tree, const std::string& backstore);

/// Tears down all that is left of a volume: the loopback links of its backstore, their LUNs and, where no
/// other LUN is linked, their targets; `wwn`, if given, as a target of the volume's own that may have lost
/// its link already; the backstore and its HBA. The caller has made sure that no process serves the
/// backstore's ring, and none will: its commands are answered by resets of the ring, so that what is in the
/// page cache of the disk is lost. Throws Failure: EBUSY if another fabric exports the backstore.
void remove_leftover(ConfigTree& tree, const std::string& backstore, const std::string& wwn = {});

/// Removes a target that no LUN of is linked; false if there is none or it is in use.
bool remove_idle_target(ConfigTree& tree, const std::string& wwn);

/// Removes the HBAs in our range of numbers that have no device: what a crash between two steps leaves.
void remove_empty_hbas(ConfigTree& tree);

}  // namespace tcmufs::lio
