#pragma once

#include <string>

#include "sys/deadline.h"

namespace tcmufs::mountctl {

/// Returns when the volume is ready. Throws Refusal: failed (it failed, or is not there) with its last error,
/// or timed_out with the state it is in.
void wait_for_volume(const std::string& mount, const std::string& name, Deadline::Clock::duration timeout);

}  // namespace tcmufs::mountctl
