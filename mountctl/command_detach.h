#pragma once

#include <string>

namespace tcmufs::mountctl {

/// Takes a volume's disk down and keeps its image; refused while it is used, with who uses it. Throws Refusal
/// with the mount's sentence.
void detach_volume(const std::string& mount, const std::string& name);

}  // namespace tcmufs::mountctl
