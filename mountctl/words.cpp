#include "mountctl/words.h"

#include <chrono>
#include <sstream>

#include "mountctl/mount_point.h"
#include "mountctl/refusal.h"

namespace tcmufs::mountctl {

CLI::App* add_word(CLI::App& app, Choice& choice, const char* name, const char* description,
                   void (*action)(const Values&)) {
  CLI::App* command = app.add_subcommand(name, description);
  command->callback([&choice, action] { choice.action = action; });
  return command;
}

void add_timeout(CLI::App& command, Values& values) {
  command.add_option("--timeout", values.timeout_s, "Seconds to wait at most")
      ->type_name("S")
      ->capture_default_str();
}

CLI::Option* add_name(CLI::App& command, Values& values) {
  return command
      .add_option("NAME", values.name, "The volume: its path below the mount, like db0 or web/disk0")
      ->required();
}

void add_json(CLI::App& command, Values& values, const char* description) {
  command.add_flag("--json", values.json, description);
}

std::string the_mount(const Values& values) {
  return choose_mount(values.mount, find_mounts());
}

Deadline::Clock::duration duration_of(double seconds, const char* option, double least_s) {
  constexpr double longest_s = 1e9;
  if (!(seconds >= least_s && seconds <= longest_s)) {  // nor a NaN
    std::ostringstream least;
    least << least_s;
    throw Refusal(ExitStatus::usage, std::string(option) + " takes seconds, from " + least.str() + " on");
  }
  return std::chrono::duration_cast<Deadline::Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace tcmufs::mountctl
