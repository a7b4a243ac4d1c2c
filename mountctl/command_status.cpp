#include "mountctl/command_status.h"

#include <sys/stat.h>

#include "mountctl/command_list.h"
#include "mountctl/control_file.h"
#include "mountctl/table.h"
#include "mountctl/volume_list.h"

namespace tcmufs::mountctl {

namespace {

bool is_directory(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

}  // namespace

void show_mount(const std::string& mount, const StatusOptions& options, std::ostream& out) {
  if (options.json) {
    out << read_control(mount, status_json_path(mount));
    return;
  }
  const MountStatus status = read_mount_status(mount);
  out << table_text({{"mount", mount},
                     {"store", status.store},
                     {"daemon", "tcmufs " + status.version + ", process " + std::to_string(status.pid)}})
      << '\n';
  list_volumes(mount, {.colour = options.colour}, out);
  std::string remarks;
  for (const VolumeStatus& volume : status.volumes) {
    for (const std::string& holder : volume.holders) remarks += volume.name + " is " + holder + "\n";
    if (!volume.last_error.empty()) remarks += volume.name + ": last error: " + volume.last_error + "\n";
  }
  if (!remarks.empty()) out << '\n' << remarks;
}

void show_volume(const std::string& mount, const std::string& given, bool json, std::ostream& out) {
  const std::string name = volume_name(mount, given);
  require_volume(mount, name);
  if (!is_directory(mount + "/" + name)) {
    out << read_control(mount, control_path(mount, name, json ? "status.json" : "status"));
    return;
  }
  if (json) {
    const std::string path = status_json_path(mount);
    out << volumes_json(read_control(mount, path), path, name + "/");
    return;
  }
  out << read_control(mount, mount + "/" + name + "/status");
}

}  // namespace tcmufs::mountctl
