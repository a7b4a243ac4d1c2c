#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tcmufs::ctlfs {

/// The files in .ctl, and in .ctl/vol/PATH of a volume. All are read-only; what they hold is rendered by the
/// backend and the volume under the same names.
std::span<const std::string_view> root_control_files();
std::span<const std::string_view> volume_control_files();

/// The place of `name` in such a table.
std::optional<unsigned> index_of(std::span<const std::string_view> files, const std::string& name);

}  // namespace tcmufs::ctlfs
