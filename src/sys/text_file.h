#pragma once

#include <string>

namespace tcmufs {

/// The whole contents of a file; throws Failure that names it.
std::string read_text(const std::string& path);

/// read_text without the white space at the end.
std::string read_line(const std::string& path);

/// Writes `text` with one write(2) to a file that exists (sysfs, configfs); throws Failure that names it.
void write_text(const std::string& path, const std::string& text);

/// Makes `path` hold `text`, all or nothing, also across a power cut: `temporary` (same file system) is
/// written and synced, renamed to `path`, and the directory synced.
void replace_file(const std::string& path, const std::string& temporary, const std::string& text);

/// fsync(2) of the directory that holds `path`.
void sync_parent(const std::string& path);

bool path_exists(const std::string& path) noexcept;

}  // namespace tcmufs
