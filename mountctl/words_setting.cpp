#include <iostream>

#include "mountctl/command_get.h"
#include "mountctl/command_set.h"
#include "mountctl/settings_files.h"
#include "mountctl/volume_verb.h"
#include "mountctl/words.h"

namespace tcmufs::mountctl {

void add_setting_words(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* set = add_word(app, choice, "set", "Change settings of a volume", [](const Values& v) {
    const VolumeSettings settings = parse_settings(v.settings);
    set_settings(the_mount(v), v.name, settings);
  });
  add_name(*set, values);
  set->add_option("KEY=VALUE", values.settings, "A setting and its value, like queue_depth=64")->required();

  auto* get = add_word(app, choice, "get", "Show the settings of a volume, or one",
                       [](const Values& v) { get_settings(the_mount(v), v.name, v.key, v.json, std::cout); });
  add_name(*get, values);
  get->add_option("KEY", values.key, "The setting, whose value alone is printed");
  add_json(*get, values, "As a JSON object");

  add_name(*add_word(app, choice, "attach", "Make a volume a disk",
                     [](const Values& v) { tell_volume(the_mount(v), v.name, "attach"); }),
           values);
  add_name(*add_word(app, choice, "detach", "Take a volume's disk down, keep its image",
                     [](const Values& v) { tell_volume(the_mount(v), v.name, "detach"); }),
           values);
}

}  // namespace tcmufs::mountctl
