#include "mountctl/command_mount.h"
#include "mountctl/command_umount.h"
#include "mountctl/mount_point.h"
#include "mountctl/words.h"

namespace tcmufs::mountctl {

void add_mount_words(CLI::App& app, Choice& choice) {
  Values& values = choice.values;
  auto* mount = add_word(app, choice, "mount", "Mount a store; its volumes become disks",
                         [](const Values& v) { mount_store(v.options, v.store, v.directory); });
  mount->add_option("STORE", values.store, "Directory that holds the images")->required();
  mount->add_option("MNT", values.directory, "Directory to mount it on")->required();
  mount->add_option("-o", values.options, "Mount options, as for tcmufs(8)")
      ->type_name("OPT[,OPT...]")
      ->allow_extra_args(false);

  auto* umount = add_word(app, choice, "umount", "Take all disks down, unmount, wait until it is done",
                          [](const Values& v) {
                            unmount(choose_mount(v.directory, find_mounts()),
                                    {v.force, duration_of(v.timeout_s, "--timeout", 0)});
                          });
  umount->add_option("MNT", values.directory, "The mount")->required();
  umount->add_flag("--force", values.force, "Though it is in use: its users get I/O errors");
  add_timeout(*umount, values);
}

}  // namespace tcmufs::mountctl
