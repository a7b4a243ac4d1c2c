#include "volume/facts.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "scsi/logical_unit.h"
#include "sys/error.h"
#include "sys/event_line.h"
#include "volume/text_table.h"
#include "volume/verbs.h"

namespace tcmufs::volume {

namespace {

using Json = nlohmann::ordered_json;

// Names are bytes; what is no UTF-8 in them is shown as U+FFFD.
std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json volume_json(const Facts& facts) {
  Json json = {{"name", facts.path}, {"state", state_name(facts.state)}, {"size", facts.size_bytes}};
  write_settings(json, facts.settings);
  json.update({{"device", facts.device},
               {"sg", facts.sg},
               {"link", facts.link},
               {"target", facts.target},
               {"engine", facts.engine},
               {"uuid", facts.uuid.text()},
               {"wwn", scsi::naa_name(facts.uuid)},
               {"holders", facts.holders},
               {"last_error", facts.last_error}});
  return json;
}

std::string hint(const Facts& facts) {
  const std::string attach = "echo attach > .ctl/vol/" + facts.path + "/ctl";
  switch (facts.state) {
    case State::draft:
      return "give it a size and settings, then: echo attach > ctl";
    case State::pending:
      if (!facts.target.empty()) return attach + " attaches it";
      return facts.size_bytes == 0 ? "give it a size: truncate -s 10G FILE"
                                   : "close it once more to attach it";
    case State::paused:
      return "make room where the image is, or let it have more: it goes on by itself";
    case State::failed:
      return "see last_error; " + (facts.target.empty() ? "closing the file once more" : attach) +
             " tries again";
    default:
      return "";
  }
}

std::string joined(const std::vector<std::string>& parts) {
  std::string result;
  for (const auto& part : parts) result += (result.empty() ? "" : "; ") + part;
  return result;
}

std::string lines(const std::vector<std::string>& parts) {
  std::string result;
  for (const auto& part : parts) result += part + "\n";
  return result;
}

std::string status_text(const Facts& facts) {
  std::string text = "format: 1\nname: " + line_text(facts.path) +
                     "\nstate: " + std::string(state_name(facts.state)) +
                     "\nsize: " + std::to_string(facts.size_bytes);
  for (const std::string& name : setting_names()) {
    text += "\n" + name + ": " + setting_text(facts.settings, name);
  }
  text += "\ndevice: " + facts.device + "\nlink: " + line_text(facts.link) +
          "\ntarget: " + line_text(facts.target) + "\nengine: " + facts.engine +
          "\nuuid: " + facts.uuid.text() + "\nwwn: " + scsi::naa_name(facts.uuid) +
          "\nholders: " + line_text(joined(facts.holders)) + "\nlast_error: " + line_text(facts.last_error) +
          "\n";
  const std::string advice = hint(facts);
  if (!advice.empty()) text += "hint: " + line_text(advice) + "\n";
  return text;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

}  // namespace

std::string_view state_name(State state) {
  switch (state) {
    case State::draft:
      return "draft";
    case State::pending:
      return "pending";
    case State::attaching:
      return "attaching";
    case State::ready:
      return "ready";
    case State::resizing:
      return "resizing";
    case State::paused:
      return "paused";
    case State::failed:
      return "failed";
    case State::detaching:
      return "detaching";
  }
  return "failed";
}

std::string status_table(const std::vector<Facts>& volumes, const std::string& directory) {
  const std::string prefix = directory.empty() ? "" : directory + "/";
  std::vector<std::vector<std::string>> rows = {{"NAME", "STATE", "SIZE", "DEVICE", "LINK"}};
  for (const Facts& facts : volumes) {
    if (!facts.path.starts_with(prefix)) continue;
    rows.push_back({facts.path.substr(prefix.size()), std::string(state_name(facts.state)),
                    std::to_string(facts.size_bytes), or_dash(facts.device), or_dash(facts.link)});
  }
  return text_table(rows);
}

std::string status_json(const Service& service, const std::vector<Facts>& volumes) {
  Json json = {{"format", 1},
               {"version", service.version},
               {"pid", service.pid},
               {"store", service.store},
               {"mount", service.mount_point},
               {"volumes", Json::array()}};
  for (const Facts& facts : volumes) json["volumes"].push_back(volume_json(facts));
  return dump(json);
}

std::string volume_file(const Facts& facts, const std::string& file) {
  if (file == "status") return status_text(facts);
  if (file == "status.json") {
    Json json = {{"format", 1}};
    json.update(volume_json(facts));
    return dump(json);
  }
  if (file == "state") return std::string(state_name(facts.state)) + "\n";
  if (file == "size") return std::to_string(facts.size_bytes) + "\n";
  if (file == "device") return facts.device + "\n";
  if (file == "sg") return facts.sg + "\n";
  if (file == "wwn") return scsi::naa_name(facts.uuid) + "\n";
  if (file == "uuid") return facts.uuid.text() + "\n";
  if (is_setting(file)) return setting_text(facts.settings, file) + "\n";
  if (file == "holders") return lines(facts.holders);
  if (file == "ctl") return verbs_text();
  if (file == "last_error") return facts.last_error.empty() ? "" : facts.last_error + "\n";
  throw Failure(ENOENT, "no control file " + quoted(file));
}

}  // namespace tcmufs::volume
