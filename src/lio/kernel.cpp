#include "lio/kernel.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "lio/disk_files.h"
#include "lio/modules.h"
#include "lio/reservations.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

namespace {

/// A module, and what sysfs shows while it works, also where it is built in and no list says so.
struct Needed {
  const char* module;
  const char* sign;
  const char* purpose;
  bool optional;
};

constexpr std::array<Needed, 5> needed{{
    {"target_core_user", "/devices/tcm_user", "CONFIG_TCM_USER2", false},
    {"tcm_loop", "/bus/tcm_loop_bus", "CONFIG_LOOPBACK_TARGET", false},
    {"sd_mod", "/bus/scsi/drivers/sd", "CONFIG_BLK_DEV_SD", false},
    {"sg", "/class/scsi_generic", "CONFIG_CHR_DEV_SG", true},
    {"fuse", "/class/misc/fuse", "CONFIG_FUSE_FS", true},
}};

constexpr long configfs_magic = 0x62656570;  // fs/configfs/mount.c

std::string release() {
  utsname name{};
  return ::uname(&name) == 0 ? name.release : "?";
}

void make_if_missing(const std::string& path) {
  ::mkdir(path.c_str(), 0755);
}

// target_core_mod chooses /etc/target or /var/target when it is loaded, and writes below pr/ there. Where the
// directory cannot be made (a read-only root), only persistent reservations fail.
void make_reservation_directories(const KernelPlaces& places) {
  for (const std::string& base : {places.etc, places.var}) {
    make_if_missing(base + "/target");
    make_if_missing(base + "/target/pr");
  }
}

// Also one that was chosen before our time. Returns what keeps the kernel from using it.
std::string make_reservation_directory_of(const std::string& dbroot) {
  if (dbroot.empty()) return {};
  make_if_missing(dbroot);
  make_if_missing(dbroot + "/pr");
  return reservations_trouble(dbroot + "/pr");
}

bool works(const Needed& one, const KernelPlaces& places, const Modules& modules) {
  return path_exists(places.sysfs + one.sign) || modules.state(one.module) == Modules::State::present;
}

[[noreturn]] void throw_missing(const std::vector<const Needed*>& missing) {
  std::string names;
  std::string options;
  for (const Needed* one : missing) {
    names += (names.empty() ? "" : ", ") + std::string(one->module);
    options += (options.empty() ? "" : ", ") + std::string(one->purpose);
  }
  throw Failure(
      ENODEV, "the kernel " + release() + " has no module" + (missing.size() > 1 ? "s " : " ") + names,
      "Install the package that has the rest of this kernel's modules, or a kernel built with " + options);
}

void load(const Needed& one, const KernelPlaces& places, const Modules& modules) {
  const int error = modules.load(one.module);
  if (error == 0 || one.optional) return;
  const std::string sentence =
      "cannot load the module " + std::string(one.module) + " into the kernel " + release();
  if (error == EPERM && text_if_there(places.proc + "/sys/kernel/modules_disabled") == "1") {
    throw Failure(EPERM, sentence,
                  "This kernel takes no more modules until it is booted again "
                  "(kernel.modules_disabled is 1)");
  }
  if (error == EPERM) {
    throw Failure(EPERM, sentence,
                  ::geteuid() == 0 ? "This needs CAP_SYS_MODULE, and no line in /etc/modprobe.d "
                                     "that forbids it"
                                   : "Only root can do this");
  }
  throw Failure(error, sentence, "The kernel's log (dmesg) says more");
}

void load_modules(const KernelPlaces& places) {
  const Modules modules(places.modules);
  std::vector<const Needed*> missing;
  std::vector<const Needed*> to_load;
  for (const Needed& one : needed) {
    if (works(one, places, modules)) continue;
    const bool there = modules.state(one.module) == Modules::State::loadable;
    if (there) to_load.push_back(&one);
    if (!there && !one.optional) missing.push_back(&one);
  }
  if (!missing.empty()) throw_missing(missing);
  make_reservation_directories(places);
  for (const Needed* one : to_load) load(*one, places, modules);
}

void mount_configfs(const std::string& path) {
  struct statfs fs {};
  if (::statfs(path.c_str(), &fs) != 0)
    throw_errno("the kernel " + release() + " has no configfs at " + quoted(path));
  if (fs.f_type == configfs_magic) return;
  if (::mount("configfs", path.c_str(), "configfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0) return;
  if (errno == EBUSY) return;  // another was faster
  throw_errno("cannot mount configfs on " + quoted(path),
              errno == EPERM ? "Only root (CAP_SYS_ADMIN) can do this" : "");
}

}  // namespace

std::vector<KernelModule> kernel_modules(const KernelPlaces& places) {
  const Modules modules(places.modules);
  std::vector<KernelModule> result;
  for (const Needed& one : needed) {
    using State = KernelModule::State;
    const bool there = modules.state(one.module) == Modules::State::loadable;
    const State state = works(one, places, modules) ? State::works : there ? State::loadable : State::missing;
    result.push_back({one.module, state, one.optional});
  }
  return result;
}

std::string prepare_kernel(const KernelPlaces& places) {
  load_modules(places);
  const std::string config = places.sysfs + "/kernel/config";
  mount_configfs(config);
  const std::string target = config + "/target";
  if (!path_exists(target + "/core")) {
    throw Failure(ENODEV, "the kernel's target subsystem does not show up in " + quoted(target));
  }
  if (::access((target + "/core").c_str(), W_OK) != 0) {
    throw_errno("cannot make block devices in " + quoted(target), "Only root can do this");
  }
  return make_reservation_directory_of(text_if_there(target + "/dbroot"));
}

}  // namespace tcmufs::lio
