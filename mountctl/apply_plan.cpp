#include "mountctl/apply_plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <set>

#include "mountctl/control_file.h"
#include "mountctl/refusal.h"
#include "mountctl/size_text.h"
#include "mountctl/volume_list.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

using Action = Step::Action;

/// In the order in which they are done.
struct Phases {
  std::vector<Step> directories;
  std::vector<Step> creations;
  std::vector<Step> changes;
  std::vector<Step> losses;  // and what has to wait for them
};

const VolumeStatus* find(const MountStatus& status, const std::string& name) {
  const auto found = std::ranges::find(status.volumes, name, &VolumeStatus::name);
  return found == status.volumes.end() ? nullptr : &*found;
}

enum class Kind { none, directory, file };

Kind kind_of(const std::string& mount, const std::string& name) {
  struct stat st {};
  if (::lstat((mount + "/" + name).c_str(), &st) == 0) {
    return S_ISDIR(st.st_mode) ? Kind::directory : Kind::file;
  }
  if (errno == ENOENT || errno == ENOTDIR) return Kind::none;
  throw Failure(errno, "cannot find " + tcmufs::quoted(name) + " in " + tcmufs::quoted(mount),
                advice_for(mount, errno));
}

void plan_directories(const std::string& mount, const std::string& name, std::set<std::string>& planned,
                      Phases& phases) {
  for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const std::string directory = name.substr(0, slash);
    const Kind kind = kind_of(mount, directory);
    if (kind == Kind::file) {
      throw Refusal(ExitStatus::failed, tcmufs::quoted(name) + " needs the directory " +
                                            tcmufs::quoted(directory) +
                                            ", which is a volume. Remove or rename that first");
    }
    if (kind == Kind::none && planned.insert(directory).second) {
      phases.directories.push_back({.action = Action::make_directory, .name = directory});
    }
  }
}

VolumeSettings settings_of(const DescribedVolume& wanted) {
  VolumeSettings settings;
  settings.reserve(wanted.settings.size());
  for (const DescribedSetting& setting : wanted.settings) settings.emplace_back(setting.key, setting.value);
  return settings;
}

/// A step that sets what is different now; one without settings if nothing is.
Step set_step(const std::string& mount, const DescribedVolume& wanted) {
  Step step{.action = Action::set, .name = wanted.name};
  for (const auto& [key, value] : settings_of(wanted)) {
    std::string present = read_control(mount, control_path(mount, wanted.name, key));
    while (present.ends_with('\n')) present.pop_back();
    if (present == value) continue;
    step.settings.emplace_back(key, value);
    step.instead_of.emplace_back(key, present);
  }
  return step;
}

/// Whether the present size fits the block size that is to be set. What is no number the mount refuses.
bool fits(const Step& set, u64 present_bytes) {
  const auto& first = set.settings.front();
  if (first.first != "block_size" || first.second.empty() || first.second.size() > 9) return true;
  const u64 block = parse_size(first.second);
  return present_bytes % block == 0;
}

bool is_no_disk(const VolumeStatus& volume) {
  return volume.state == "pending" || volume.state == "failed" || volume.state == "draft";
}

void plan_changes(const std::string& mount, const DescribedVolume& wanted, const VolumeStatus& present,
                  Phases& phases) {
  std::vector<Step> steps;
  Step set = set_step(mount, wanted);
  const bool shrinks = wanted.size_bytes < present.size_bytes;
  if (wanted.size_bytes != present.size_bytes) {
    steps.push_back({.action = shrinks ? Action::shrink : Action::grow,
                     .name = wanted.name,
                     .from_bytes = present.size_bytes,
                     .size_bytes = wanted.size_bytes});
  }
  if (!set.settings.empty()) {
    const bool first = fits(set, present.size_bytes);
    steps.insert(first ? steps.begin() : steps.end(), std::move(set));
  }
  if (is_no_disk(present)) steps.push_back({.action = Action::attach, .name = wanted.name});
  std::ranges::move(steps, std::back_inserter(shrinks ? phases.losses : phases.changes));
}

/// The list shows U+FFFD in place of what is no UTF-8 in a name, which makes it longer too.
bool is_name_of_nothing(const std::string& mount, const std::string& name) {
  struct stat st {};
  return ::lstat((mount + "/" + name).c_str(), &st) != 0 &&
         (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG);
}

void plan_removals(const std::string& mount, const MountStatus& status, const Description& description,
                   Phases& phases, std::ostream& warnings) {
  for (const VolumeStatus& volume : status.volumes) {
    const auto& wanted = description.volumes;
    if (std::ranges::find(wanted, volume.name, &DescribedVolume::name) != wanted.end()) continue;
    if (is_name_of_nothing(mount, volume.name)) {
      warnings
          << "mountctl: " << tcmufs::quoted(volume.name)
          << " is not removed: there is nothing of that name. If a name holds bytes that are no UTF-8, rm(1) "
             "removes it\n";
      continue;
    }
    phases.losses.push_back({.action = Action::remove, .name = volume.name, .from_bytes = volume.size_bytes});
  }
}

std::string size_text(u64 bytes) {
  const std::string text = human_size(bytes);
  return bytes != 0 && parse_size(text) == bytes ? text : std::to_string(bytes);
}

std::string on_a_line(const std::string& text) {
  const std::string in_quotes = tcmufs::quoted(text);
  return in_quotes.substr(1, in_quotes.size() - 2);
}

}  // namespace

std::vector<Step> plan_for(const std::string& mount, const Description& description, bool prune,
                           std::ostream& warnings) {
  const MountStatus status = read_mount_status(mount);
  Phases phases;
  std::set<std::string> directories;
  for (const DescribedVolume& wanted : description.volumes) {
    if (const VolumeStatus* present = find(status, wanted.name)) {
      plan_changes(mount, wanted, *present, phases);
      continue;
    }
    if (kind_of(mount, wanted.name) == Kind::directory) {
      throw Refusal(ExitStatus::failed, tcmufs::quoted(wanted.name) +
                                            " is to be a volume, and is a directory. 'rmdir' removes it when "
                                            "it is empty");
    }
    plan_directories(mount, wanted.name, directories, phases);
    phases.creations.push_back({.action = Action::create,
                                .name = wanted.name,
                                .size_bytes = wanted.size_bytes,
                                .settings = settings_of(wanted)});
  }
  if (prune) plan_removals(mount, status, description, phases, warnings);
  std::vector<Step> plan = std::move(phases.directories);
  for (auto* phase : {&phases.creations, &phases.changes, &phases.losses}) {
    std::ranges::move(*phase, std::back_inserter(plan));
  }
  return plan;
}

std::string action_word(const Step& step) {
  switch (step.action) {
    case Action::make_directory:
      return "mkdir";
    case Action::create:
      return "create";
    case Action::grow:
      return "grow";
    case Action::set:
      return "set";
    case Action::attach:
      return "attach";
    case Action::shrink:
      return "shrink";
    case Action::remove:
      break;
  }
  return "remove";
}

std::string step_text(const Step& step) {
  std::string text = action_word(step) + " " + on_a_line(step.name);
  if (step.action == Action::grow || step.action == Action::shrink) {
    text += " " + size_text(step.from_bytes) + " -> " + size_text(step.size_bytes);
  } else if (step.action == Action::create) {
    text += " " + size_text(step.size_bytes);
  }
  for (std::size_t i = 0; i < step.settings.size(); ++i) {
    const auto& [key, value] = step.settings[i];
    text.append(" ").append(key).append("=").append(on_a_line(value));
    if (i < step.instead_of.size()) {
      text.append(" (now ").append(on_a_line(step.instead_of[i].second)).append(")");
    }
  }
  return text;
}

}  // namespace tcmufs::mountctl
