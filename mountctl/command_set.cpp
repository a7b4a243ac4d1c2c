#include "mountctl/command_set.h"

#include "mountctl/control_file.h"
#include "mountctl/last_error.h"
#include "mountctl/progress.h"
#include "mountctl/settings_files.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

void set_settings(const std::string& mount, const std::string& given, const VolumeSettings& settings) {
  const std::string name = volume_name(mount, given);
  require_volume(mount, name);
  const auto known = settings_in(mount, mount + "/.ctl/vol/" + name);
  for (const auto& [key, value] : settings) require_setting(known, key);
  std::string done;
  for (const auto& [key, value] : settings) {
    const LastError last_error(mount, name);
    const Progress progress("waiting for the disk of " + quoted(name) + " to have another " + key);
    const int error = write_control(control_path(mount, name, key), value);
    if (error != 0) {
      const Refusal reason =
          last_error.refusal("cannot set " + key + " of " + quoted(name) + " to " + quoted(value), error);
      throw Refusal(reason.status(), reason.what() + (done.empty() ? "" : ". Set before that: " + done));
    }
    done += (done.empty() ? "" : ", ") + key;
  }
}

}  // namespace tcmufs::mountctl
