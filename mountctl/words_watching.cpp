#include <iostream>

#include "mountctl/command_doctor.h"
#include "mountctl/command_explain.h"
#include "mountctl/command_top.h"
#include "mountctl/command_watch.h"
#include "mountctl/mount_point.h"
#include "mountctl/terminal.h"
#include "mountctl/words.h"

namespace tcmufs::mountctl {

namespace {

constexpr double shortest_interval_s = 0.1;

void add_top(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* top =
      add_word(app, choice, "top", "Show what the disks are doing, again and again", [](const Values& v) {
        const TopOptions options{.once = v.once,
                                 .json = v.json,
                                 .colour = colours_on_output(),
                                 .interval = duration_of(v.interval_s, "--interval", shortest_interval_s)};
        show_top(the_mount(v), options, std::cout);
      });
  top->add_flag("--once", values.once, "One interval, then end");
  top->add_option("--interval", values.interval_s, "Seconds that are measured at a time")
      ->type_name("S")
      ->capture_default_str();
  add_json(*top, values, "A JSON object a line, one for each interval");
}

void add_watch(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* watch =
      add_word(app, choice, "watch", "Show what happens to the volumes as it happens", [](const Values& v) {
        watch_events(the_mount(v), v.name, {v.json, v.all, colours_on_output()}, std::cout);
      });
  add_name(*watch, values)->required(false);
  watch->add_flag("--all", values.all, "Also what has happened before, as far as it is kept");
  add_json(*watch, values, "A JSON object a line");
}

void add_doctor(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* doctor = add_word(app, choice, "doctor", "Look for what is wrong, or will be", [](const Values& v) {
    const auto mounts = find_mounts();
    const bool has_mount = v.store.empty() && !(mounts.empty() && v.mount.empty());
    examine(has_mount ? choose_mount(v.mount, mounts) : "", v.store, {v.json, colours_on_output()},
            std::cout);
  });
  doctor->add_option("STORE", values.store, "A directory of images that is not mounted");
  add_json(*doctor, values, "As a JSON array");
}

void add_explain(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* command =
      add_word(app, choice, "explain", "Say which volume a device or a path is", [](const Values& v) {
        std::vector<std::string> mounts;
        if (v.mount.empty()) {
          for (const MountPoint& mount : find_mounts()) mounts.push_back(mount.path);
        } else {
          mounts.push_back(the_mount(v));
        }
        explain(mounts, v.subject, v.json, {.device_name = system_device_name}, std::cout);
      });
  command
      ->add_option(
          "SUBJECT", values.subject,
          "A device, a partition, a mount point on one, a file of the mount, an image, a volume's name")
      ->required();
  add_json(*command, values, "As a JSON object");
}

}  // namespace

void add_watching_words(CLI::App& app, Choice& choice) {
  add_top(app, choice);
  add_watch(app, choice);
  add_doctor(app, choice);
  add_explain(app, choice);
}

}  // namespace tcmufs::mountctl
