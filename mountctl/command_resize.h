#pragma once

#include <string>

#include "mountctl/size_text.h"

namespace tcmufs::mountctl {

/// Gives a volume another size and returns when its disk has it. Throws Refusal with the mount's own
/// sentence.
void resize_volume(const std::string& mount, const std::string& name, const SizeChange& change);

}  // namespace tcmufs::mountctl
