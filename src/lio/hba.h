#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lio/config_directory.h"
#include "lio/config_tree.h"
#include "sys/integers.h"

namespace tcmufs::lio {

/// HBAs of target_core_user: core/user_<number>. Ours have numbers from here on, out of the way of other
/// tools.
inline constexpr u32 first_hba_number = 1'000'000;

/// The number of "user_<number>" as the kernel makes it part of the uio's name; nothing if it is another
/// plugin's.
std::optional<u32> user_hba_number(const std::string& directory_name);

/// Paths ("core/user_7") of all HBAs of target_core_user, ours or not.
std::vector<std::string> user_hbas(ConfigTree& tree);

/// Names of the devices on an HBA; none if it is gone.
std::vector<std::string> devices_of(ConfigTree& tree, const std::string& hba);

/// Makes an HBA of its own for the device `name`. The number follows from the name, or is one of the next if
/// that is taken; an empty HBA of that number, which a crash left behind, is used.
ConfigDirectory make_hba(ConfigTree& tree, const std::string& name);

/// The HBA of that number, which may be there already and be others' too: its last user removes it.
ConfigDirectory shared_hba(ConfigTree& tree, u32 number);

}  // namespace tcmufs::lio
