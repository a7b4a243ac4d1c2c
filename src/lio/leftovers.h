#pragma once

#include <functional>
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
/// those that have it as their keeper. One that a crash left before it had a dev_config is not among them: it
/// is found when its volume is made again.
std::vector<std::string> backstores_of(ConfigTree& tree, const std::string& store_uuid);

/// What a backstore is made of, in the words of whoever serves it.
std::string dev_config_of(ConfigTree& tree, const std::string& backstore);

std::vector<LoopbackLink> loopback_links_of(ConfigTree& tree, const std::string& backstore);

/// Tears down all that is left of a volume: the loopback links of its backstore, their LUNs and, where no
/// other LUN is linked, their targets; `wwn`, if given, as a target of the volume's own that may have lost
/// its link already; the backstore and its HBA. The caller has made sure that no process serves the
/// backstore's ring, and none will: its commands are answered by resets of the ring, so that what is in the
/// page cache of the disk is lost. Throws Failure: EBUSY if another fabric exports the backstore.
void remove_leftover(ConfigTree& tree, const std::string& backstore, const std::string& wwn = {});

/// A backstore, and the target that its volume would have of its own, or "".
struct Leftover {
  std::string backstore;
  std::string wwn;
};

/// remove_leftover() of many at the same time: however many commands wait on however many disks, all of them
/// come to their end at once. `done` is called for each, by one thread at a time, with its place in
/// `leftovers` and a sentence: what has stood in the way, or "".
void remove_leftovers(ConfigTree& tree, const std::vector<Leftover>& leftovers,
                      const std::function<void(std::size_t, const std::string&)>& done);

/// Removes a target that no LUN of is linked; false if there is none or it is in use.
bool remove_idle_target(ConfigTree& tree, const std::string& wwn);

/// The targets that a crash left without a LUN, which no backstore leads to any more: those that bear our
/// names of target and initiator, or, where the crash took the initiator away, the other marks of ours.
/// Removes them, and returns their names. A daemon that is at work has such targets for a moment: only where
/// there is none.
std::vector<std::string> remove_stray_targets(ConfigTree& tree);

/// Removes the HBAs in our range of numbers that have no device: what a crash between two steps leaves.
void remove_empty_hbas(ConfigTree& tree);

}  // namespace tcmufs::lio
