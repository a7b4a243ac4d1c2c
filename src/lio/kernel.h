#pragma once

#include <string>
#include <vector>

namespace tcmufs::lio {

/// Where the kernel's things are; other than these only in tests.
struct KernelPlaces {
  std::string sysfs = "/sys";
  std::string proc = "/proc";
  std::string modules;  // empty: /lib/modules/<release>
  std::string etc = "/etc";
  std::string var = "/var";
};

/// Brings the kernel to where backstores and targets can be made: modules loaded (target_core_user, tcm_loop,
/// sd_mod, and sg and fuse where there are such), configfs mounted, and a directory for the persistent
/// reservations, without which the kernel refuses to register any. What is there already is left as it is.
/// Needs CAP_SYS_MODULE and CAP_SYS_ADMIN only for what is missing. Throws Failure: ENODEV if the kernel has
/// no such module, EPERM without the rights. Also without them it says what the kernel lacks. Returns what
/// will not work although disks do, in words; empty if all does.
std::string prepare_kernel(const KernelPlaces& places = {});

/// A module that disks need, as it stands now.
struct KernelModule {
  enum class State { works, loadable, missing };

  std::string name;
  State state = State::missing;
  bool optional = false;
};

/// Those that prepare_kernel would load; changes nothing. Throws Failure.
std::vector<KernelModule> kernel_modules(const KernelPlaces& places = {});

}  // namespace tcmufs::lio
