#include "mountctl/command_cleanup.h"
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

  auto* cleanup =
      add_word(app, choice, "cleanup", "Remove the disks that dead daemons left", [](const Values& v) {
        clean_up({v.stores, v.dry_run, duration_of(v.timeout_s, "--timeout", 0)});
      });
  cleanup->add_option("--store", values.stores, "Only of this store, a directory or a uuid")
      ->type_name("STORE")
      ->allow_extra_args(false);
  cleanup->add_flag("--dry-run", values.dry_run, "Say what would be done, and do nothing");
  add_timeout(*cleanup, values);
}

}  // namespace tcmufs::mountctl
