#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace tcmufs::mountctl {

/// Who keeps files or directories below `mount` open, `excluded` aside: "process 17 (bash) has '/mnt/disks'
/// as its working directory". Only what this user may see.
std::vector<std::string> users_of_mount(const std::string& mount, const std::vector<pid_t>& excluded,
                                        const std::string& proc = "/proc");

}  // namespace tcmufs::mountctl
