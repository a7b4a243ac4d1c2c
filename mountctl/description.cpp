#include "mountctl/description.h"

#include <algorithm>
#include <map>

#include "mountctl/control_file.h"
#include "mountctl/description_tree.h"
#include "mountctl/refusal.h"
#include "mountctl/settings_files.h"
#include "mountctl/size_text.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

constexpr const char* white_space = " \t\r\n";

/// What `action` returns; its Refusal or Failure becomes one with the line.
template <typename Action>
auto at_line(const std::string& shown, unsigned line, Action action) {
  try {
    return action();
  } catch (const Refusal& refusal) {
    refuse_line(shown, line, refusal.what());
  } catch (const Failure& failure) {
    refuse_line(shown, line, failure.what());
  }
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(white_space);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(white_space) - begin + 1);
}

u64 size_of(const Node& node, const std::string& shown) {
  if (node.type != Node::Type::text && node.type != Node::Type::integer) {
    refuse_line(shown, node.line, "size is a text like \"10G\", or a number of bytes");
  }
  return at_line(shown, node.line, [&] { return parse_size(node.text); });
}

DescribedSetting setting_of(const Node& node, const std::string& shown) {
  if (node.type == Node::Type::table) {
    refuse_line(shown, node.line,
                tcmufs::quoted(node.key) +
                    " is a table, no value. A volume in a directory is named in quotes: \"web/disk0\"");
  }
  if (node.type == Node::Type::other) {
    refuse_line(shown, node.line,
                tcmufs::quoted(node.key) + " is " + node.text + ", and not a text or a whole number");
  }
  const std::string value = trimmed(node.text);
  if (value.find('\n') != std::string::npos) {
    refuse_line(shown, node.line, tcmufs::quoted(node.key) + " has more than one line");
  }
  return {node.key, value, node.type == Node::Type::text, node.line};
}

DescribedVolume volume_of(const Node& node, const std::string& shown) {
  if (node.type != Node::Type::table) {
    refuse_line(shown, node.line,
                "the volume " + tcmufs::quoted(node.key) + " is no table with its size and settings");
  }
  DescribedVolume volume;
  volume.name = node.key;
  volume.line = node.line;
  for (const Node& member : node.members) {
    if (member.key == "size") {
      volume.size_bytes = size_of(member, shown);
    } else {
      volume.settings.push_back(setting_of(member, shown));
    }
  }
  if (volume.size_bytes == 0)
    refuse_line(shown, node.line, "the volume " + tcmufs::quoted(node.key) + " has no size");
  return volume;
}

/// Where each volume stands, by its name. Throws Refusal (usage) for two of one name.
std::map<std::string, unsigned> lines_by_name(const Description& description) {
  std::map<std::string, unsigned> lines;
  for (const DescribedVolume& volume : description.volumes) {
    const auto [other, is_new] = lines.emplace(volume.name, volume.line);
    if (is_new) continue;
    refuse_line(description.shown, volume.line,
                tcmufs::quoted(volume.name) + " is there already, in line " + std::to_string(other->second));
  }
  return lines;
}

void refuse_volumes_in_volumes(const Description& description) {
  const auto lines = lines_by_name(description);
  for (const DescribedVolume& volume : description.volumes) {
    for (auto slash = volume.name.find('/'); slash != std::string::npos;
         slash = volume.name.find('/', slash + 1)) {
      const auto above = lines.find(volume.name.substr(0, slash));
      if (above == lines.end()) continue;
      refuse_line(description.shown, volume.line,
                  tcmufs::quoted(volume.name) + " would be in the directory " + tcmufs::quoted(above->first) +
                      ", which is a volume, in line " + std::to_string(above->second));
    }
  }
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

void fit_setting(const std::string& shown, const std::string& default_value, DescribedSetting& setting) {
  if (!is_number(default_value)) return;
  if (!is_number(setting.value)) {
    refuse_line(shown, setting.line,
                setting.key + " is a number, like its default " + default_value + ", and not " +
                    tcmufs::quoted(setting.value));
  }
  setting.value.erase(0, std::min(setting.value.find_first_not_of('0'), setting.value.size() - 1));
}

/// In this order the pair fits whenever it can.
int rank(const DescribedSetting& setting) {
  if (setting.key == "block_size") return 0;
  return setting.key == "physical_block_size" ? 1 : 2;
}

}  // namespace

void refuse_line(const std::string& shown, unsigned line, const std::string& sentence) {
  throw Refusal(ExitStatus::usage, shown + ":" + std::to_string(line) + ": " + sentence);
}

Description parse_description(const std::string& text, const std::string& shown) {
  const auto first = text.find_first_not_of(white_space);
  const bool is_json = first != std::string::npos && text[first] == '{';
  const Node root = is_json ? parse_json(text, shown) : parse_toml(text, shown);
  const Node* volumes = nullptr;
  for (const Node& member : root.members) {
    if (member.key != "volumes") {
      refuse_line(shown, member.line,
                  "there is no " + tcmufs::quoted(member.key) + " in a description; there is: volumes");
    }
    volumes = &member;
  }
  // Not the same as none: a file that was emptied by mistake must not remove them all.
  if (volumes == nullptr) {
    refuse_line(shown, 1, "it describes no volumes: it begins with [volumes.NAME] and size = \"10G\"");
  }
  if (volumes->type != Node::Type::table) {
    refuse_line(shown, volumes->line, "volumes is a table of volumes: [volumes.NAME]");
  }
  Description description{shown, {}};
  description.volumes.reserve(volumes->members.size());
  for (const Node& member : volumes->members) description.volumes.push_back(volume_of(member, shown));
  return description;
}

Description fitted_to(const std::string& mount, Description description) {
  for (DescribedVolume& volume : description.volumes) {
    volume.name = at_line(description.shown, volume.line, [&] { return volume_name(mount, volume.name); });
  }
  refuse_volumes_in_volumes(description);
  const std::string defaults = mount + "/.ctl/defaults";
  const auto known = settings_in(mount, defaults);
  for (DescribedVolume& volume : description.volumes) {
    for (DescribedSetting& setting : volume.settings) {
      at_line(description.shown, setting.line, [&] { require_setting(known, setting.key); });
      fit_setting(description.shown, trimmed(read_control(mount, defaults + "/" + setting.key)), setting);
    }
    std::ranges::stable_sort(volume.settings, {}, rank);
  }
  return description;
}

}  // namespace tcmufs::mountctl
