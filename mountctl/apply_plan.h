#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "mountctl/command_create.h"
#include "mountctl/description.h"
#include "sys/integers.h"

namespace tcmufs::mountctl {

/// One thing to be done.
struct Step {
  enum class Action { make_directory, create, grow, set, attach, shrink, remove };

  Action action = Action::create;
  std::string name{};           // of the volume or the directory
  u64 from_bytes = 0;           // grow, shrink
  u64 size_bytes = 0;           // create, grow, shrink
  VolumeSettings settings{};    // create, set
  VolumeSettings instead_of{};  // set: the present values
};

/// What makes the volumes of a mount those of a description that has been fitted to it, in an order in which
/// nothing is lost before all else has succeeded: directories, new volumes, changes, volumes that get
/// smaller, and, with `prune`, the removal of those that are not described. Those that the mount does not
/// have by the name that it lists are left out, with a line to `warnings`. Changes nothing. Throws Refusal or
/// Failure, also for what cannot be: a volume where there is a directory, and the other way round.
std::vector<Step> plan_for(const std::string& mount, const Description& description, bool prune,
                           std::ostream& warnings);

/// "grow", as JSON has it too.
std::string action_word(const Step& step);
/// "grow db0 10G -> 20G".
std::string step_text(const Step& step);

}  // namespace tcmufs::mountctl
