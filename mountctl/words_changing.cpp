#include <iostream>

#include "mountctl/command_apply.h"
#include "mountctl/command_create.h"
#include "mountctl/command_resize.h"
#include "mountctl/command_rm.h"
#include "mountctl/size_text.h"
#include "mountctl/words.h"

namespace tcmufs::mountctl {

namespace {

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

void add_create(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* create =
      add_word(app, choice, "create", "Create a volume; prints the path of its disk", [](const Values& v) {
        const u64 size_bytes = parse_size(v.size);
        const VolumeSettings settings = settings_of(v);
        create_volume(the_mount(v), v.name, size_bytes, settings, v.json, std::cout);
      });
  add_name(*create, values);
  create->add_option("SIZE", values.size, "Bytes, or like 64M, 1.5G, 1T (powers of 1024)")->required();
  create->add_option("--block-size", values.block_size, "Bytes of a logical block, 512 or 4096")
      ->type_name("N");
  create
      ->add_option("--physical-block-size", values.physical_block_size, "Bytes of a physical block, as well")
      ->type_name("N");
  add_json(*create, values, "The whole status of the volume, as JSON");
}

void add_apply(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* command =
      add_word(app, choice, "apply", "Make the volumes those that a file describes", [](const Values& v) {
        const Description description = read_description(v.file);
        apply(the_mount(v), description, {v.dry_run, v.allow_shrink, v.prune, v.json}, std::cout, std::cerr);
      });
  command->add_option("FILE", values.file, "TOML or JSON: sizes and settings of volumes, by name")
      ->required();
  command->add_flag("--dry-run", values.dry_run, "Only say what would be done");
  command->add_flag("--allow-shrink", values.allow_shrink, "Volumes may become smaller");
  command->add_flag("--prune", values.prune, "Remove the volumes that are not described");
  add_json(*command, values, "What is to be done and what has been, as a JSON object");
}

}  // namespace

void add_changing_words(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  add_create(app, choice);
  add_apply(app, choice);

  auto* resize = add_word(app, choice, "resize", "Change the size of a volume", [](const Values& v) {
    const SizeChange change = parse_size_change(v.size);
    resize_volume(the_mount(v), v.name, change);
  });
  add_name(*resize, values);
  resize->add_option("SIZE", values.size, "The new size, or +SIZE to grow, -SIZE to shrink")->required();

  auto* rm = add_word(app, choice, "rm", "Remove a volume and its image",
                      [](const Values& v) { remove_volume(the_mount(v), v.name); });
  add_name(*rm, values);
}

}  // namespace tcmufs::mountctl
