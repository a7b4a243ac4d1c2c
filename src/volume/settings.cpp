#include "volume/settings.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "scsi/limits.h"
#include "sys/error.h"
#include "volume/space_wait.h"

namespace tcmufs::volume {

namespace {

using Json = nlohmann::ordered_json;

struct Setting {
  enum class When : u8 {
    made,  // a disk is made with it
    live,  // a disk can be given another value while it is used
  };

  std::string_view name;
  When when;
  const char* values;  // for people
  Json (*get)(const Settings&);
  bool (*set)(Settings&, const std::string&);  // false: no such value
};

bool set_block_size(u32& bytes, const std::string& value) {
  if (value != "512" && value != "4096") return false;
  bytes = value == "512" ? 512 : 4096;
  return true;
}

bool set_switch(bool& on, const std::string& value) {
  if (value != "0" && value != "1") return false;
  on = value == "1";
  return true;
}

bool set_number(u32& number, const std::string& value, u32 least, u32 most) {
  u32 parsed = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (error != std::errc() || end != value.data() + value.size() || value != std::to_string(parsed))
    return false;
  if (parsed < least || parsed > most) return false;
  number = parsed;
  return true;
}

// SPC-4 4.4.1: left-aligned ASCII of a fixed length.
bool set_text(std::string& text, const std::string& value, std::size_t least, std::size_t most) {
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (value.size() < least || value.size() > most || !std::all_of(value.begin(), value.end(), printable))
    return false;
  text = value;
  return true;
}

template <auto Member>
constexpr Setting on_or_off(std::string_view name) {
  return {name, Setting::When::made, "0 or 1", [](const Settings& s) { return Json(s.*Member); },
          [](Settings& s, const std::string& value) { return set_switch(s.*Member, value); }};
}

template <auto Member, std::size_t least, std::size_t most>
constexpr Setting text(std::string_view name, const char* values) {
  return {name, Setting::When::made, values, [](const Settings& s) { return Json(s.*Member); },
          [](Settings& s, const std::string& value) { return set_text(s.*Member, value, least, most); }};
}

template <auto Member, u32 least, u32 most>
constexpr Setting number(std::string_view name, Setting::When when, const char* values) {
  return {name, when, values, [](const Settings& s) { return Json(s.*Member); },
          [](Settings& s, const std::string& value) { return set_number(s.*Member, value, least, most); }};
}

constexpr u32 largest_command_mb = scsi::Limits::transfer_bytes >> 20;  // has to fit into the data area
static_assert(largest_command_mb == 8);

constexpr auto made = Setting::When::made;
constexpr auto live = Setting::When::live;

// An earlier one does not depend on a later one.
constexpr std::array table{
    Setting{"block_size", made, "512 or 4096", [](const Settings& s) { return Json(s.block_size_bytes); },
            [](Settings& s, const std::string& value) {
              if (!set_block_size(s.block_size_bytes, value)) return false;
              s.physical_block_size_bytes = std::max(s.physical_block_size_bytes, s.block_size_bytes);
              return true;
            }},
    Setting{"physical_block_size", made, "512 or 4096",
            [](const Settings& s) { return Json(s.physical_block_size_bytes); },
            [](Settings& s, const std::string& value) {
              return set_block_size(s.physical_block_size_bytes, value);
            }},
    on_or_off<&Settings::direct>("direct"),
    number<&Settings::max_data_area_mb, largest_command_mb, 2048>("max_data_area_mb", made, "8 to 2048"),
    number<&Settings::cmd_ring_size_mb, 1, 8>("cmd_ring_size_mb", made, "1 to 8"),
    number<&Settings::data_pages_per_blk, 1, 256>("data_pages_per_blk", made, "1 to 256"),
    number<&Settings::queue_depth, 1, 1024>("queue_depth", live, "1 to 1024"),
    number<&Settings::read_ahead_kb, 0, 65536>("read_ahead_kb", live, "0 to 65536"),
    number<&Settings::poll_us, 0, 10000>("poll_us", live, "0 to 10000"),
    on_or_off<&Settings::read_only>("read_only"),
    on_or_off<&Settings::write_cache>("write_cache"),
    on_or_off<&Settings::discard>("discard"),
    number<&Settings::cmd_timeout_s, 0, 86400>("cmd_timeout", made, "0 to 86400"),
    number<&Settings::enospc_timeout_s, 0, SpaceWait::longest_s>("enospc_timeout", live, "0 to 150"),
    text<&Settings::vendor, 1, 8>("vendor", "1 to 8 printable ASCII characters"),
    text<&Settings::product, 1, 16>("product", "1 to 16 printable ASCII characters"),
    text<&Settings::serial, 0, 32>("serial", "at most 32 printable ASCII characters"),
};

// Those that a text of this format has; one that lacks a later one means its default.
constexpr std::size_t first_settings = 2;

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
  if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
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

bool is_switch(const std::string& name) {
  const Setting* found = find(name);
  return found != nullptr && found->get({}).is_boolean();
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

bool only_tuned(const Settings& from, const Settings& to) {
  return std::all_of(table.begin(), table.end(), [&](const Setting& each) {
    return each.when == Setting::When::live || each.get(from) == each.get(to);
  });
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
    const std::string name(each.name);
    const bool later = &each >= table.data() + first_settings;
    if (later && !json.contains(name)) continue;
    const Json& value = json.at(name);
    if (!each.set(settings, text_of(value)) || each.get(settings) != value) {
      throw std::invalid_argument("its " + name + " is " + value.dump() + " and can be " + each.values);
    }
  }
  if (!fit(settings)) throw std::invalid_argument("its physical blocks are smaller than its blocks");
  return settings;
}

}  // namespace tcmufs::volume
