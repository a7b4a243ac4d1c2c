#include "volume/record.h"

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "sys/error.h"

namespace tcmufs::volume {

namespace {

constexpr u32 format_version = 1;

// `known` are the keys besides the format and the settings.
void check_format(const nlohmann::ordered_json& json, std::initializer_list<std::string_view> known) {
  if (!json.is_object()) throw std::invalid_argument("its text is no object");
  for (const auto& item : json.items()) {
    const std::string& key = item.key();
    if (key != "format" && !is_setting(key) && std::find(known.begin(), known.end(), key) == known.end()) {
      throw std::invalid_argument("the key " + quoted(key) + " is unknown to this version of tcmufs");
    }
  }
  if (json.at("format").get<u32>() != format_version) {
    throw std::invalid_argument("its format is not " + std::to_string(format_version));
  }
}

Record from_json(const nlohmann::ordered_json& json) {
  check_format(json, {"uuid", "lun", "draft", "target", "medium"});
  Record record;
  const auto uuid = Uuid::parse(json.at("uuid").get<std::string>());
  if (!uuid) throw std::invalid_argument("its uuid is none");
  record.uuid = *uuid;
  record.settings = read_settings(json);
  if (json.contains("lun")) record.lun = json.at("lun").get<u32>();
  if (json.contains("draft")) record.draft = json.at("draft").get<bool>();
  if (json.contains("target")) record.target = json.at("target").get<std::string>();
  if (json.contains("medium")) record.medium = json.at("medium").get<std::string>();
  return record;
}

}  // namespace

std::string Record::text() const {
  nlohmann::ordered_json json = {{"format", format_version}, {"uuid", uuid.text()}};
  write_settings(json, settings);
  if (lun) json["lun"] = *lun;
  if (draft) json["draft"] = true;
  if (!target.empty()) json["target"] = target;
  if (!medium.empty()) json["medium"] = medium;
  return json.dump(2) + "\n";
}

Record Record::parse(const std::string& text, const std::string& path) {
  try {
    return from_json(nlohmann::ordered_json::parse(text));
  } catch (const std::exception& error) {
    throw Failure(EBADMSG, "the record " + quoted(path) + " cannot be used, " + error.what(),
                  "Mend it, or remove it to give its image a new identity");
  }
}

std::string defaults_text(const Settings& settings) {
  nlohmann::ordered_json json = {{"format", format_version}};
  write_settings(json, settings);
  return json.dump(2) + "\n";
}

Settings parse_defaults(const std::string& text, const std::string& path) {
  try {
    const auto json = nlohmann::ordered_json::parse(text);
    check_format(json, {});
    return read_settings(json);
  } catch (const std::exception& error) {
    throw Failure(EBADMSG,
                  "the settings of new volumes in " + quoted(path) + " cannot be used, " + error.what(),
                  "Write one of them anew (.ctl/defaults), or remove the file");
  }
}

}  // namespace tcmufs::volume
