#pragma once

#include <ostream>
#include <string>

#include "mountctl/description.h"

namespace tcmufs::mountctl {

struct ApplyOptions {
  bool dry_run = false;  // only the plan
  bool allow_shrink = false;
  bool prune = false;  // remove what is not described
  bool json = false;
};

/// The description in `file`. Throws Failure or Refusal (usage).
Description read_description(const std::string& file);

/// Makes the volumes of the mount those that are described: prints the plan, or that there is nothing to do,
/// then carries it out. As JSON it prints one object when it ends. `warnings` has a line for each volume that
/// should be removed and cannot be named. Throws Refusal: usage, before anything is changed, for what is
/// wrong in the description; failed at the first step that is refused, with what has been done by then and
/// what not.
void apply(const std::string& mount, const Description& description, const ApplyOptions& options,
           std::ostream& out, std::ostream& warnings);

}  // namespace tcmufs::mountctl
