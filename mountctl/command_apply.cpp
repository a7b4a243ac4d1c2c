#include "mountctl/command_apply.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "mountctl/apply_plan.h"
#include "mountctl/command_resize.h"
#include "mountctl/command_rm.h"
#include "mountctl/command_set.h"
#include "mountctl/last_error.h"
#include "mountctl/progress.h"
#include "mountctl/refusal.h"
#include "mountctl/volume_verb.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::mountctl {

namespace {

using Action = Step::Action;
using Json = nlohmann::ordered_json;
using Plan = std::vector<Step>;

void make_directory(const std::string& mount, const std::string& name) {
  constexpr mode_t all = 0777;  // less the umask
  const LastError last_error(mount, name);
  const Progress progress("waiting for the directory " + tcmufs::quoted(name));
  if (::mkdir((mount + "/" + name).c_str(), all) == 0) return;
  throw last_error.refusal("cannot make the directory " + tcmufs::quoted(name), errno);
}

void carry_out(const std::string& mount, const Step& step) {
  switch (step.action) {
    case Action::make_directory:
      return make_directory(mount, step.name);
    case Action::create: {
      std::ostringstream link;
      return create_volume(mount, step.name, step.size_bytes, step.settings, false, link);
    }
    case Action::grow:
    case Action::shrink:
      return resize_volume(mount, step.name, {SizeChange::Kind::absolute, step.size_bytes});
    case Action::set:
      return set_settings(mount, step.name, step.settings);
    case Action::attach:
      return tell_volume(mount, step.name, "attach");
    case Action::remove:
      return remove_volume(mount, step.name);
  }
}

std::string joined(Plan::const_iterator begin, Plan::const_iterator end) {
  std::string text;
  for (; begin != end; ++begin) {
    text.append(text.empty() ? "" : "; ").append(step_text(*begin));
  }
  return text.empty() ? "nothing" : text;
}

Json object_of(const VolumeSettings& settings) {
  Json object = Json::object();
  for (const auto& [key, value] : settings) object[key] = value;
  return object;
}

void print_json(const std::string& mount, const Plan& plan, std::size_t done, bool dry_run,
                std::ostream& out) {
  Json steps = Json::array();
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const Step& step = plan[i];
    Json object = {{"action", action_word(step)}, {"name", step.name}, {"done", i < done}};
    if (step.from_bytes != 0) object["from_size"] = step.from_bytes;
    if (step.size_bytes != 0) object["size"] = step.size_bytes;
    if (!step.settings.empty()) object["settings"] = object_of(step.settings);
    if (!step.instead_of.empty()) object["instead_of"] = object_of(step.instead_of);
    steps.push_back(std::move(object));
  }
  const Json object = {{"mount", mount}, {"dry_run", dry_run}, {"steps", std::move(steps)}};
  out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
}

void print_plan(const Plan& plan, std::ostream& out) {
  if (plan.empty()) out << "nothing to do\n";
  for (const Step& step : plan) out << step_text(step) << '\n';
  out << std::flush;
}

/// Why the plan must not be carried out at all.
std::optional<Refusal> objection_to(const Plan& plan, const ApplyOptions& options) {
  if (options.allow_shrink) return std::nullopt;
  const auto shrink = std::ranges::find(plan, Action::shrink, &Step::action);
  if (shrink == plan.end()) return std::nullopt;
  return Refusal(ExitStatus::failed,
                 tcmufs::quoted(shrink->name) +
                     " would become smaller, and what is behind its new end would be lost. "
                     "Nothing is changed; --allow-shrink allows it");
}

/// Stops at the first step that fails; the number of those that are done.
std::size_t carry_out(const std::string& mount, const Plan& plan, std::optional<Refusal>& stopped_by) {
  for (std::size_t done = 0; done < plan.size(); ++done) {
    try {
      carry_out(mount, plan[done]);
    } catch (const std::exception& error) {
      const auto stopped = plan.begin() + static_cast<std::ptrdiff_t>(done);
      stopped_by.emplace(ExitStatus::failed, std::string(error.what()) +
                                                 ". Done before that: " + joined(plan.begin(), stopped) +
                                                 ". Not done: " + joined(stopped, plan.end()));
      return done;
    }
  }
  return plan.size();
}

}  // namespace

Description read_description(const std::string& file) {
  return parse_description(read_text(file), file);
}

void apply(const std::string& mount, const Description& description, const ApplyOptions& options,
           std::ostream& out, std::ostream& warnings) {
  const Plan plan = plan_for(mount, fitted_to(mount, description), options.prune, warnings);
  if (!options.json) print_plan(plan, out);
  std::optional<Refusal> refusal = objection_to(plan, options);
  const std::size_t done = refusal || options.dry_run ? 0 : carry_out(mount, plan, refusal);
  if (options.json) print_json(mount, plan, done, options.dry_run, out);
  if (refusal) throw Refusal(*refusal);
}

}  // namespace tcmufs::mountctl
