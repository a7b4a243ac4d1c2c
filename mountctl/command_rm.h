#pragma once

#include <string>

namespace tcmufs::mountctl {

/// Takes a volume's disk down and deletes its image. Throws Refusal; in use: with who uses it.
void remove_volume(const std::string& mount, const std::string& name);

}  // namespace tcmufs::mountctl
