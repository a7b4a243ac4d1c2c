#include "mountctl/command_create.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "mountctl/control_file.h"
#include "mountctl/last_error.h"
#include "mountctl/progress.h"
#include "mountctl/refusal.h"
#include "mountctl/volume_list.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

constexpr mode_t disk_mode = 0660;  // as udev has it for disks; less the umask

/// Writes the settings, gives the file its size and closes it, which attaches the disk: 0 or errno.
int finish(const std::string& mount, const std::string& name, int file, u64 size_bytes,
           const VolumeSettings& settings) {
  int error = 0;
  for (const auto& [setting, value] : settings) {
    if (error == 0) error = write_control(control_path(mount, name, setting), value);
  }
  if (error == 0 && ::ftruncate(file, static_cast<off_t>(size_bytes)) != 0) error = errno;
  if (::close(file) != 0 && error == 0) error = errno;
  return error;
}

/// Ends the command, after removing what it made.
[[noreturn]] void give_up(const std::string& path, const Refusal& reason) {
  if (::unlink(path.c_str()) == 0) throw reason;
  throw Refusal(reason.status(), std::string(reason.what()) + ". " +
                                     Failure(errno, "What was made cannot be removed again either").what());
}

}  // namespace

void create_volume(const std::string& mount, const std::string& given, u64 size_bytes,
                   const VolumeSettings& settings, bool json, std::ostream& out) {
  const std::string name = volume_name(mount, given);
  const std::string path = mount + "/" + name;
  const std::string attempt = "cannot create " + quoted(name);
  std::optional<Progress> progress(std::in_place, "waiting for " + quoted(name) + " to be a disk");
  const LastError last_error(mount, name);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, disk_mode);
  if (file < 0) throw last_error.refusal(attempt, errno);
  const int error = finish(mount, name, file, size_bytes, settings);
  progress.reset();
  if (error != 0) give_up(path, last_error.refusal(attempt, error));

  const std::string state = control_line(mount, name, "state").value_or("ready");
  if (state != "ready") {
    give_up(path, Refusal(ExitStatus::failed,
                          attempt + " as a disk: under this name it stays in state " + state +
                              ". 'truncate -s' makes such a file, 'mv' to another name a disk"));
  }
  const auto status = control_line(mount, name, "status.json");
  if (!status) return;
  if (json) {
    out << *status << '\n';
    return;
  }
  const std::string link = parse_volume_status(*status, control_path(mount, name, "status.json")).link;
  if (!link.empty()) out << link << '\n';
}

}  // namespace tcmufs::mountctl
