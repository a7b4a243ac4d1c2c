#include "volume/settings.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "sys/error.h"

namespace tcmufs::volume {

namespace {

using Json = nlohmann::json;

struct Setting {
  std::string_view name;
  const char* values;  // for people
  Json (*get)(const Settings&);
  bool (*set)(Settings&, const std::string&);  // false: no such value
};

bool set_block_size(u32& bytes, const std::string& value) {
  if (value != "512" && value != "4096") return false;
  bytes = value == "512" ? 512 : 4096;
  return true;
}

// An earlier one does not depend on a later one.
constexpr std::array<Setting, 2> table{{
    {"block_size", "512 or 4096", [](const Settings& s) { return Json(s.block_size_bytes); },
     [](Settings& s, const std::string& value) {
       if (!set_block_size(s.block_size_bytes, value)) return false;
       s.physical_block_size_bytes = std::max(s.physical_block_size_bytes, s.block_size_bytes);
       return true;
     }},
    {"physical_block_size", "512 or 4096",
     [](const Settings& s) { return Json(s.physical_block_size_bytes); },
     [](Settings& s, const std::string& value) {
       return set_block_size(s.physical_block_size_bytes, value);
     }},
}};

const Setting* find(const std::string& name) {
  const auto at = std::find_if(table.begin(), table.end(), [&](const Setting& s) { return s.name == name; });
  return at == table.end() ? nullptr : &*at;
}

const Setting& setting(const std::string& name) {
  const Setting* found = find(name);
  if (found == nullptr) throw Failure(ENOENT, "there is no setting " + quoted(name));
  return *found;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool fit(const Settings& settings) {
  return settings.physical_block_size_bytes >= settings.block_size_bytes;
}

std::string shown(const std::string& value) {
  constexpr std::size_t enough = 40;
  return quoted(value.size() <= enough ? value : value.substr(0, enough) + "...");
}

}  // namespace

bool is_setting(const std::string& name) {
  return find(name) != nullptr;
}

std::vector<std::string> setting_names() {
  std::vector<std::string> names;
  names.reserve(table.size());
  for (const Setting& each : table) names.emplace_back(each.name);
  return names;
}

std::string setting_text(const Settings& settings, const std::string& name) {
  return text_of(setting(name).get(settings));
}

Settings with_setting(Settings settings, const std::string& name, const std::string& value,
                      const std::string& whose) {
  const std::string what = "cannot set " + name + " of " + whose + " to " + shown(value);
  const Setting& wanted = setting(name);
  if (!wanted.set(settings, value)) throw Failure(EINVAL, what, std::string("It can be ") + wanted.values);
  if (!fit(settings)) {
    throw Failure(EINVAL, what,
                  "A physical block is not smaller than a block, and block_size is " +
                      std::to_string(settings.block_size_bytes) + ": set that to " +
                      std::to_string(settings.physical_block_size_bytes) + " first");
  }
  return settings;
}

Settings with_settings(Settings settings, const SettingValues& values, const std::string& whose) {
  for (const Setting& each : table) {
    const auto last = std::find_if(values.rbegin(), values.rend(),
                                   [&](const auto& value) { return value.first == each.name; });
    if (last != values.rend()) settings = with_setting(settings, last->first, last->second, whose);
  }
  return settings;
}

Settings with_setting_of(Settings to, const Settings& from, const std::string& name) {
  setting(name).set(to, setting_text(from, name));
  return fit(to) ? to : from;
}

void write_settings(nlohmann::ordered_json& json, const Settings& settings) {
  for (const Setting& each : table) json[std::string(each.name)] = each.get(settings);
}

Settings read_settings(const Json& json) {
  Settings settings;
  for (const Setting& each : table) {
    const Json& value = json.at(std::string(each.name));
    if (!each.set(settings, text_of(value)) || each.get(settings) != value) {
      throw std::invalid_argument("its " + std::string(each.name) + " is " + value.dump() + " and can be " +
                                  each.values);
    }
  }
  if (!fit(settings)) throw std::invalid_argument("its physical blocks are smaller than its blocks");
  return settings;
}

}  // namespace tcmufs::volume
