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

/// As the system calls take them; good as long as `words` are not changed.
std::vector<char*> pointers_to(std::vector<std::string>& words);

/// Runs the daemon until it is in the background; what is waited for shows on the terminal meanwhile. Its
/// exit status, or 128 and the signal that has ended it. Throws Failure.
int run_daemon(std::vector<std::string> arguments, const std::string& what);

/// Becomes the daemon, which returns to the caller when the mount can be used: its standard error and its
/// exit status are the command's own. On a terminal it is run and waited for instead, to the same end.
[[noreturn]] void mount_store(const std::vector<std::string>& options, const std::string& store,
                              const std::string& mount);

}  // namespace tcmufs::mountctl
