#include "mountctl/volume_list.h"

#include <nlohmann/json.hpp>

#include "mountctl/control_file.h"
#include "mountctl/refusal.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

using Json = nlohmann::ordered_json;

constexpr int known_format = 1;

/// The JSON object in `text`, with every use of it under one guard: a wrong type anywhere is a Refusal.
template <typename Use>
auto with_object(const std::string& text, const std::string& shown, Use use) {
  try {
    const Json document = Json::parse(text);
    if (!document.is_object()) throw Refusal(ExitStatus::failed, quoted(shown) + " holds no JSON object");
    return use(document);
  } catch (const Json::exception& error) {
    throw Refusal(ExitStatus::failed, quoted(shown) + " cannot be understood: " + error.what());
  }
}

VolumeStatus status_of(const Json& object) {
  VolumeStatus volume;
  volume.name = object.value("name", "");
  volume.state = object.value("state", "");
  volume.size_bytes = object.value("size", u64{0});
  volume.device = object.value("device", "");
  volume.link = object.value("link", "");
  volume.target = object.value("target", "");
  volume.holders = object.value("holders", std::vector<std::string>());
  volume.last_error = object.value("last_error", "");
  return volume;
}

void check_format(const Json& document, const std::string& shown) {
  const int format = document.value("format", 0);
  if (format != known_format) {
    throw Refusal(ExitStatus::failed, quoted(shown) + " has format " + std::to_string(format) +
                                          ", this mountctl knows format " + std::to_string(known_format) +
                                          ". Use the mountctl that came with the daemon");
  }
}

}  // namespace

MountStatus parse_mount_status(const std::string& text, const std::string& shown) {
  return with_object(text, shown, [&](const Json& document) {
    check_format(document, shown);
    MountStatus status;
    status.version = document.value("version", "");
    status.pid = document.value("pid", pid_t{0});
    status.store = document.value("store", "");
    for (const Json& volume : document.value("volumes", Json::array()))
      status.volumes.push_back(status_of(volume));
    return status;
  });
}

VolumeStatus parse_volume_status(const std::string& text, const std::string& shown) {
  return with_object(text, shown, status_of);
}

std::string volumes_json(const std::string& text, const std::string& shown, const std::string& prefix) {
  return with_object(text, shown, [&](const Json& document) {
    check_format(document, shown);
    Json chosen = Json::array();
    for (const Json& volume : document.value("volumes", Json::array())) {
      if (prefix.empty() || volume.value("name", "").starts_with(prefix)) chosen.push_back(volume);
    }
    return chosen.dump(2) + "\n";
  });
}

std::string status_json_path(const std::string& mount) {
  return mount + "/.ctl/status.json";
}

MountStatus read_mount_status(const std::string& mount) {
  const std::string path = status_json_path(mount);
  return parse_mount_status(read_control(mount, path), path);
}

std::string describe_holders(const MountStatus& status) {
  std::string text;
  for (const VolumeStatus& volume : status.volumes) {
    if (volume.holders.empty()) continue;
    if (!text.empty()) text += "; ";
    text += volume.name + " is ";
    for (std::size_t i = 0; i < volume.holders.size(); ++i) text += (i == 0 ? "" : ", ") + volume.holders[i];
  }
  return text;
}

}  // namespace tcmufs::mountctl
