#include "mountctl/command_get.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "mountctl/control_file.h"
#include "mountctl/settings_files.h"
#include "mountctl/table.h"

namespace tcmufs::mountctl {

namespace {

using Json = nlohmann::ordered_json;

std::string value_of(const std::string& mount, const std::string& name, const std::string& key) {
  std::string text = read_control(mount, control_path(mount, name, key));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// The volume's status.json, in which values have types; empty if it cannot be had.
Json typed_values(const std::string& mount, const std::string& name) {
  const Json status = Json::parse(control_line(mount, name, "status.json").value_or("{}"), nullptr, false);
  return status.is_object() ? status : Json::object();
}

}  // namespace

void get_settings(const std::string& mount, const std::string& given, const std::string& key, bool json,
                  std::ostream& out) {
  const std::string name = volume_name(mount, given);
  require_volume(mount, name);
  auto keys = settings_in(mount, mount + "/.ctl/vol/" + name);
  if (!key.empty()) {
    require_setting(keys, key);
    keys = {key};
  }
  if (json) {
    const Json typed = typed_values(mount, name);
    Json object = Json::object();
    for (const auto& one : keys) object[one] = typed.value(one, Json(value_of(mount, name, one)));
    out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else if (!key.empty()) {
    out << value_of(mount, name, key) << '\n';
  } else {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(keys.size());
    for (const auto& one : keys) rows.push_back({one, value_of(mount, name, one)});
    out << table_text(rows);
  }
}

}  // namespace tcmufs::mountctl
