#pragma once

#include <string>

namespace tcmufs::mountctl {

/// Writes a verb to .ctl/vol/NAME/ctl: it is done when this returns. Throws Refusal.
void tell_volume(const std::string& mount, const std::string& name, const std::string& verb);

}  // namespace tcmufs::mountctl
