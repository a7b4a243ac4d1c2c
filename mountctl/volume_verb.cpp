#include "mountctl/volume_verb.h"

#include "mountctl/control_file.h"
#include "mountctl/last_error.h"
#include "mountctl/progress.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::mountctl {

void tell_volume(const std::string& mount, const std::string& given, const std::string& verb) {
  const std::string name = volume_name(mount, given);
  require_volume(mount, name);
  const LastError last_error(mount, name);
  const std::string path = control_path(mount, name, "ctl");
  const std::string attempt = "cannot " + verb + " " + quoted(name);
  if (!path_exists(path)) {
    throw Refusal(ExitStatus::failed, attempt + ": the mount has no file " + quoted(path) +
                                          ". Use the mountctl that came with the daemon");
  }
  const Progress progress("waiting for the mount to " + verb + " " + quoted(name));
  const int error = write_control(path, verb);
  if (error != 0) throw last_error.refusal(attempt, error);
}

}  // namespace tcmufs::mountctl
