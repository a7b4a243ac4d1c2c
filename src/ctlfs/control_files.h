#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tcmufs::ctlfs {

/// What such a file holds is rendered by the backend or the volume under the same name; what is written to
/// one that is `writable` is handed to them as a value.
struct ControlFile {
  std::string_view name;
  bool writable = false;
  bool stream = false;  // goes on: a read waits for what comes next
};

/// The files in .ctl, in .ctl/defaults, and in .ctl/vol/PATH of a volume.
std::span<const ControlFile> root_control_files();
std::span<const ControlFile> default_control_files();
std::span<const ControlFile> volume_control_files();

/// The place of `name` in such a table.
std::optional<unsigned> index_of(std::span<const ControlFile> files, const std::string& name);

}  // namespace tcmufs::ctlfs
