#pragma once

#include <ostream>
#include <string>

#include "sys/integers.h"

namespace tcmufs::mountctl {

/// Creates a volume and returns when its disk is ready; prints the link to it. If it cannot be, what was
/// created is removed again, and Refusal says why; a volume that was there before is never touched.
void create_volume(const std::string& mount, const std::string& name, u64 size_bytes, std::ostream& out);

}  // namespace tcmufs::mountctl
