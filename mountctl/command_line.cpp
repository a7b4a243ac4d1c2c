#include "mountctl/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>

#include "mountctl/command_create.h"
#include "mountctl/command_list.h"
#include "mountctl/command_mount.h"
#include "mountctl/command_resize.h"
#include "mountctl/command_rm.h"
#include "mountctl/command_status.h"
#include "mountctl/command_umount.h"
#include "mountctl/command_wait.h"
#include "mountctl/mount_point.h"
#include "mountctl/refusal.h"
#include "mountctl/size_text.h"

namespace tcmufs::mountctl {

namespace {

constexpr double longest_timeout_s = 1e9;

struct Values {
  std::string mount;  // --mount
  std::string store;
  std::string directory;
  std::vector<std::string> options;
  std::string name;
  std::string size;
  std::string block_size;
  std::string physical_block_size;
  bool json = false;
  bool human = false;
  bool force = false;
  double timeout_s = 60;
};

struct Choice {
  Values values;
  void (*action)(const Values&) = nullptr;
};

std::string the_mount(const Values& values) {
  return choose_mount(values.mount, find_mounts());
}

Deadline::Clock::duration timeout(const Values& values) {
  if (!(values.timeout_s >= 0 && values.timeout_s <= longest_timeout_s)) {  // nor a NaN
    throw Refusal(ExitStatus::usage, "--timeout takes seconds, from 0 on");
  }
  return std::chrono::duration_cast<Deadline::Clock::duration>(
      std::chrono::duration<double>(values.timeout_s));
}

CLI::App* add(CLI::App& app, Choice& choice, const char* name, const char* description,
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

void add_name(CLI::App& command, Values& values) {
  command.add_option("NAME", values.name, "The volume: its path below the mount, like db0 or web/disk0")
      ->required();
}

void add_mount_commands(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* mount = add(app, choice, "mount", "Mount a store; its volumes become disks",
                    [](const Values& v) { mount_store(v.options, v.store, v.directory); });
  mount->add_option("STORE", values.store, "Directory that holds the images")->required();
  mount->add_option("MNT", values.directory, "Directory to mount it on")->required();
  mount->add_option("-o", values.options, "Mount options, as for tcmufs(8)")
      ->type_name("OPT[,OPT...]")
      ->allow_extra_args(false);

  auto* umount =
      add(app, choice, "umount", "Take all disks down, unmount, wait until it is done", [](const Values& v) {
        unmount(choose_mount(v.directory, find_mounts()), {v.force, timeout(v)});
      });
  umount->add_option("MNT", values.directory, "The mount")->required();
  umount->add_flag("--force", values.force, "Though it is in use: its users get I/O errors");
  add_timeout(*umount, values);
}

void add_looking_commands(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* list = add(app, choice, "list", "Show the volumes", [](const Values& v) {
    list_volumes(the_mount(v), {v.json, v.human}, std::cout);
  });
  list->add_flag("--json", values.json, "As a JSON array");
  list->add_flag("--human", values.human, "Sizes like 10G");

  auto* status =
      add(app, choice, "status", "Show the mount and who uses its disks, or one volume", [](const Values& v) {
        const std::string mount = the_mount(v);
        v.name.empty() ? show_mount(mount, v.json, std::cout) : show_volume(mount, v.name, v.json, std::cout);
      });
  status->add_option("NAME", values.name, "A volume, or a directory of volumes");
  status->add_flag("--json", values.json, "As JSON");

  auto* wait = add(app, choice, "wait", "Wait until a volume is ready",
                   [](const Values& v) { wait_for_volume(the_mount(v), v.name, timeout(v)); });
  add_name(*wait, values);
  add_timeout(*wait, values);
}

/// Of the options that were given.
VolumeSettings settings_of(const Values& values) {
  VolumeSettings settings;
  // In this order the pair fits whenever it can.
  const auto add = [&](const char* name, const std::string& size) {
    if (!size.empty()) settings.emplace_back(name, std::to_string(parse_size(size)));
  };
  add("block_size", values.block_size);
  add("physical_block_size", values.physical_block_size);
  return settings;
}

void add_create_command(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* create =
      add(app, choice, "create", "Create a volume; prints the path of its disk", [](const Values& v) {
        const u64 size_bytes = parse_size(v.size);
        const VolumeSettings settings = settings_of(v);
        create_volume(the_mount(v), v.name, size_bytes, settings, std::cout);
      });
  add_name(*create, values);
  create->add_option("SIZE", values.size, "Bytes, or like 64M, 1.5G, 1T (powers of 1024)")->required();
  create->add_option("--block-size", values.block_size, "Bytes of a logical block, 512 or 4096")
      ->type_name("N");
  create
      ->add_option("--physical-block-size", values.physical_block_size, "Bytes of a physical block, as well")
      ->type_name("N");
}

void add_changing_commands(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  add_create_command(app, choice);

  auto* resize = add(app, choice, "resize", "Change the size of a volume", [](const Values& v) {
    const SizeChange change = parse_size_change(v.size);
    resize_volume(the_mount(v), v.name, change);
  });
  add_name(*resize, values);
  resize->add_option("SIZE", values.size, "The new size, or +SIZE to grow, -SIZE to shrink")->required();

  auto* rm = add(app, choice, "rm", "Remove a volume and its image",
                 [](const Values& v) { remove_volume(the_mount(v), v.name); });
  add_name(*rm, values);
}

}  // namespace

std::function<void()> parse_command_line(std::vector<std::string> arguments) {
  Choice choice;
  CLI::App app("Disks that are files: manages a mount of tcmufs.", "mountctl");
  app.set_version_flag("--version", "mountctl " TCMUFS_VERSION);
  app.add_option("--mount", choice.values.mount, "The mount to work on; needed only where there are several")
      ->type_name("MNT");
  app.require_subcommand(0, 1);  // none: refused below, in words
  app.fallthrough();
  app.footer(
      "Exit status: 0 done, 1 refused or failed (a sentence on standard error says why),\n"
      "2 wrong usage, 3 timed out. 'mountctl COMMAND --help' explains a command; see also mountctl(8).");
  add_mount_commands(app, choice);
  add_looking_commands(app, choice);
  add_changing_commands(app, choice);

  std::reverse(arguments.begin(), arguments.end());  // the order in which the parser takes them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return [text = app.help()] { std::cout << text; };
  } catch (const CLI::CallForVersion& version) {
    return [text = std::string(version.what())] { std::cout << text << '\n'; };
  } catch (const CLI::ParseError& error) {
    throw Refusal(ExitStatus::usage, std::string(error.what()) + ". 'mountctl --help' shows how it is used");
  }
  if (choice.action == nullptr) {
    throw Refusal(ExitStatus::usage, "no command given. 'mountctl --help' shows those there are");
  }
  return [choice] { choice.action(choice.values); };
}

}  // namespace tcmufs::mountctl
