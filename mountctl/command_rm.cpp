#include "mountctl/command_rm.h"

#include <unistd.h>

#include <cerrno>

#include "mountctl/control_file.h"
#include "mountctl/last_error.h"
#include "mountctl/progress.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

void remove_volume(const std::string& mount, const std::string& given) {
  const std::string name = volume_name(mount, given);
  const Progress progress("waiting for the disk of " + quoted(name) + " to be taken down");
  require_volume(mount, name);
  const LastError last_error(mount, name);
  if (::unlink((mount + "/" + name).c_str()) == 0) return;
  if (errno == EISDIR) {
    throw Refusal(ExitStatus::failed,
                  quoted(name) + " is a directory (EISDIR). 'rmdir' removes it when it is empty");
  }
  throw last_error.refusal("cannot remove " + quoted(name), errno);
}

}  // namespace tcmufs::mountctl
