#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tcmufs::fuse {

/// One mount of this mount namespace: a line of /proc/self/mountinfo (proc(5)).
struct MountLine {
  int id = 0;
  std::string point;   // absolute, unescaped
  std::string type;    // "fuse.tcmufs"
  std::string source;  // what is mounted
};

/// The lines of a mountinfo text, in its order. A line that does not parse is left out.
std::vector<MountLine> parse_mount_table(const std::string& text);

/// /proc/self/mountinfo; throws Failure.
std::vector<MountLine> mount_table();

/// The mount that is seen at `point`: the last of those there.
std::optional<MountLine> topmost(const std::vector<MountLine>& table, const std::string& point);

}  // namespace tcmufs::fuse
