#include "mountctl/command_attach.h"

#include "mountctl/volume_verb.h"

namespace tcmufs::mountctl {

void attach_volume(const std::string& mount, const std::string& name) {
  tell_volume(mount, name, "attach");
}

}  // namespace tcmufs::mountctl
