#pragma once

#include <string>

namespace tcmufs::mountctl {

/// Makes a volume a disk and returns when it is ready. Throws Refusal with the mount's sentence.
void attach_volume(const std::string& mount, const std::string& name);

}  // namespace tcmufs::mountctl
