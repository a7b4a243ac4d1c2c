#pragma once

#include <string>
#include <vector>

namespace tcmufs::mountctl {

/// The daemon `tcmufs`: beside `own_executable`, else in the directories of `search_path` ("/usr/bin:/bin").
/// Throws Refusal.
std::string find_daemon(const std::string& own_executable, const std::string& search_path);

/// find_daemon() for this program and the variable PATH.
std::string own_daemon();

/// The daemon's arguments, its own name first.
std::vector<std::string> daemon_arguments(const std::string& daemon, const std::vector<std::string>& options,
                                          const std::string& store, const std::string& mount);

/// Becomes the daemon, which returns to the caller when the mount can be used: its standard error and its
/// exit status are the command's own.
[[noreturn]] void mount_store(const std::vector<std::string>& options, const std::string& store,
                              const std::string& mount);

}  // namespace tcmufs::mountctl
