#include "mountctl/command_list.h"

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
  std::vector<std::vector<std::string>> rows{{"NAME", "STATE", "SIZE", "DEVICE", "LINK"}};
  for (const VolumeStatus& volume : read_mount_status(mount).volumes) {
    const std::string size =
        options.human ? human_size(volume.size_bytes) : std::to_string(volume.size_bytes);
    rows.push_back({volume.name, volume.state, size, volume.device, volume.link});
  }
  out << table_text(rows, options.colour);
}

}  // namespace tcmufs::mountctl
