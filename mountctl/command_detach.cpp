#include "mountctl/command_detach.h"

#include "mountctl/volume_verb.h"

namespace tcmufs::mountctl {

void detach_volume(const std::string& mount, const std::string& name) {
  tell_volume(mount, name, "detach");
}

}  // namespace tcmufs::mountctl
