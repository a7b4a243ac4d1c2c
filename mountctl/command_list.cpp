#include "mountctl/command_list.h"

#include <algorithm>

#include "mountctl/control_file.h"
#include "mountctl/size_text.h"
#include "mountctl/table.h"
#include "mountctl/volume_list.h"

namespace tcmufs::mountctl {

void list_volumes(const std::string& mount, const ListOptions& options, std::ostream& out) {
  if (options.json) {
    const std::string path = status_json_path(mount);
    out << volumes_json(read_control(mount, path), path);
    return;
  }
  const MountStatus status = read_mount_status(mount);
  const bool any_link = std::any_of(status.volumes.begin(), status.volumes.end(),
                                    [](const VolumeStatus& volume) { return !volume.target.empty(); });
  std::vector<std::vector<std::string>> rows{{"NAME", "STATE", "SIZE", "DEVICE", "LINK"}};
  if (any_link) rows.front().emplace_back("TARGET");
  for (const VolumeStatus& volume : status.volumes) {
    const std::string size =
        options.human ? human_size(volume.size_bytes) : std::to_string(volume.size_bytes);
    rows.push_back({volume.name, volume.state, size, volume.device, volume.link});
    if (any_link) rows.back().push_back(volume.target);
  }
  out << table_text(rows, options.colour);
}

}  // namespace tcmufs::mountctl
