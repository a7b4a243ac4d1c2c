#pragma once

#include <cstddef>
#include <string>

namespace tcmufs::ctlfs {

/// The longest name in bytes (NAME_MAX); a longer one is ENAMETOOLONG.
inline constexpr std::size_t kNameMax = 255;

/// Names that mean something of ours at every level: ".ctl", ".tcmufs", "status".
bool reserved_name(const std::string& name);

/// Names under which programs put something together before they rename it: beginning with '.' or ending in
/// "~", ".part", ".tmp", ".swp". A volume of such a name is never attached by itself.
bool temporary_name(const std::string& name);

/// "web/disk0" of "web" and "disk0"; if one of them is empty, the other.
std::string joined(const std::string& directory, const std::string& name);

/// Whether `path` is `ancestor` or lies below it.
bool within(const std::string& path, const std::string& ancestor);

}  // namespace tcmufs::ctlfs
