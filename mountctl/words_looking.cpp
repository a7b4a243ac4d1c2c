#include <iostream>

#include "mountctl/command_list.h"
#include "mountctl/command_status.h"
#include "mountctl/command_wait.h"
#include "mountctl/terminal.h"
#include "mountctl/words.h"

namespace tcmufs::mountctl {

void add_looking_words(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* list = add_word(app, choice, "list", "Show the volumes", [](const Values& v) {
    list_volumes(the_mount(v), {v.json, v.human, colours_on_output()}, std::cout);
  });
  add_json(*list, values, "As a JSON array");
  list->add_flag("--human", values.human, "Sizes like 10G");

  auto* status = add_word(app, choice, "status", "Show the mount and who uses its disks, or one volume",
                          [](const Values& v) {
                            const std::string mount = the_mount(v);
                            v.name.empty() ? show_mount(mount, {v.json, colours_on_output()}, std::cout)
                                           : show_volume(mount, v.name, v.json, std::cout);
                          });
  status->add_option("NAME", values.name, "A volume, or a directory of volumes");
  add_json(*status, values, "As JSON");

  auto* wait = add_word(app, choice, "wait", "Wait until a volume is ready", [](const Values& v) {
    wait_for_volume(the_mount(v), v.name, duration_of(v.timeout_s, "--timeout", 0));
  });
  add_name(*wait, values);
  add_timeout(*wait, values);
}

}  // namespace tcmufs::mountctl
