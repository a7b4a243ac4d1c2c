#pragma once

#include <string>

#include "sys/integers.h"
#include "sys/size_text.h"

namespace tcmufs::mountctl {

/// size_from_text() and size_change_from_text() of what somebody has typed: they throw Refusal (usage), for 0
/// too.
u64 parse_size(const std::string& text);
SizeChange parse_size_change(const std::string& text);

/// The size that `change` makes of `present` bytes; throws Refusal (failed) if that is no size of a disk.
u64 size_after(const SizeChange& change, u64 present);

/// "512", "1.5K", "10G": at most one digit behind the point, rounded to the nearest.
std::string human_size(u64 bytes);

}  // namespace tcmufs::mountctl
