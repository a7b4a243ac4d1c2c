// What the machine has to do with disks, whatever the store.

#include <linux/capability.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "lio/config_directory.h"
#include "lio/config_text.h"
#include "lio/directory.h"
#include "lio/disk_files.h"
#include "lio/hba.h"
#include "lio/leftovers.h"
#include "sys/error.h"
#include "sys/text_file.h"
#include "volume/backstores.h"
#include "volume/doctor.h"

namespace tcmufs::volume {

namespace {

using Grade = Finding::Grade;

bool is_running(const DoctorPlaces& places, const std::string& program) {
  return std::ranges::any_of(process_numbers(places.kernel), [&](const std::string& process) {
    return lio::text_if_there(places.kernel.proc + "/" + process + "/comm") == program;
  });
}

}  // namespace

std::vector<Finding> examine_modules(const DoctorPlaces& places) {
  std::vector<Finding> findings;
  const bool sealed = lio::text_if_there(places.kernel.proc + "/sys/kernel/modules_disabled") == "1";
  for (const lio::KernelModule& module : lio::kernel_modules(places.kernel)) {
    using State = lio::KernelModule::State;
    const bool only_less =
        module.optional && module.name != "fuse";  // without it there are disks, but no mount
    const Grade lacking = only_less ? Grade::warn : Grade::fix;
    if (module.state == State::works) {
      findings.push_back({Grade::ok, "modules", module.name + " is there"});
    } else if (module.state == State::missing) {
      findings.push_back({lacking, "modules",
                          "this kernel has no module " + module.name +
                              "; install the package with the rest of its modules, or another kernel "
                              "(Debian: linux-image-amd64)"});
    } else if (sealed) {
      findings.push_back({lacking, "modules",
                          module.name +
                              " is not loaded, and the kernel takes no more modules until it is booted "
                              "again (kernel.modules_disabled is 1)"});
    } else {
      findings.push_back({Grade::ok, "modules", module.name + " can be loaded, tcmufs does so"});
    }
  }
  return findings;
}

std::vector<Finding> examine_configfs(const DoctorPlaces& places) {
  const std::string path = places.kernel.sysfs + "/kernel/config";
  if (path_exists(path + "/target"))
    return {{Grade::ok, "configfs", "it is mounted, and has the kernel's target subsystem"}};
  return {{Grade::ok, "configfs",
           "there is no target subsystem in " + quoted(path) + " yet, tcmufs sees to that"}};
}

std::vector<Finding> examine_others(lio::ConfigTree& tree, const DoctorPlaces& places) {
  std::vector<Finding> findings;
  std::string names;
  std::size_t count = 0;
  for (const KernelBackstore& one : kernel_backstores(tree)) {
    if (one.ours()) continue;
    ++count;
    names += (names.empty() ? "" : ", ") + one.path + " (" + one.dev_config + ")";
  }
  if (count > 0) {
    findings.push_back({Grade::warn, "others",
                        "other programs have TCMU backstores: " + names +
                            "; they share the kernel's limit of memory for data (global_max_data_area_mb)"});
  }
  if (is_running(places, "tcmu-runner")) {
    findings.push_back(
        {Grade::warn, "others",
         "tcmu-runner is running: the kernel waits for its answers about backstores of its own, for "
         "ever if it hangs; ours do not ask it (nl_reply_supported is -1)"});
  }
  if (findings.empty()) findings.push_back({Grade::ok, "others", "nobody else uses TCMU"});
  return findings;
}

std::vector<Finding> examine_leftovers(lio::ConfigTree& tree, const DoctorPlaces& places) {
  std::vector<Finding> findings;
  const auto served = find_served(places.kernel).uio_names;
  for (const KernelBackstore& one : kernel_backstores(tree)) {
    if (!one.ours() || served.contains(one.uio_name())) continue;
    const bool linked = !lio::loopback_links_of(tree, one.path).empty();
    findings.push_back({Grade::fix, "leftovers",
                        "nobody serves " + quoted(one.path) +
                            (linked ? ", whose disk is there: its I/O waits" : "") + "; mount the store " +
                            one.store() +
                            " (its file .tcmufs/uuid says so) again, which takes it over or removes it; or, "
                            "to lose what is not synced: mountctl cleanup --store " +
                            one.store()});
  }
  for (const std::string& hba : lio::user_hbas(tree)) {
    const auto number = lio::user_hba_number(hba.substr(hba.rfind('/') + 1));
    if (*number < lio::first_hba_number || !lio::devices_of(tree, hba).empty()) continue;
    findings.push_back(
        {Grade::warn, "leftovers",
         quoted(hba) + " is empty and in our range; it does no harm: mountctl cleanup takes it away"});
  }
  if (findings.empty()) findings.push_back({Grade::ok, "leftovers", "every disk of tcmufs is served"});
  return findings;
}

std::vector<Finding> examine_multipath(const DoctorPlaces& places) {
  if (!is_running(places, "multipathd")) return {{Grade::ok, "multipath", "multipathd does not run"}};
  const std::string file = places.kernel.etc + "/multipath/conf.d/tcmufs.conf";
  if (path_exists(file))
    return {{Grade::ok, "multipath", "multipathd runs, and is told to leave the disks alone"}};
  return {{Grade::warn, "multipath",
           "multipathd runs and may take the disks, which are then always in use; install the file " +
               quoted(file) + ", which is part of tcmufs"}};
}

std::vector<Finding> examine_udev(const DoctorPlaces& places) {
  const auto is_missing = [&](const std::string& rule) {
    return std::ranges::none_of(
        places.udev_rules, [&](const std::string& directory) { return path_exists(directory + "/" + rule); });
  };
  std::vector<Finding> findings;
  if (is_missing("90-tcmufs.rules")) {
    findings.push_back(
        {Grade::warn, "udev",
         "the rule 90-tcmufs.rules is not installed: the links in /dev/tcmufs are made, but systemd does "
         "not wait for them (fstab), and desktops may mount the disks; install the package"});
  }
  if (is_missing("59-tcmufs.rules")) {
    findings.push_back({Grade::warn, "udev",
                        "the rule 59-tcmufs.rules is not installed: udev gives the group of disks to the "
                        "nodes of those that "
                        "belong to users, and believes what users write on them; install the package"});
  }
  if (findings.empty()) findings.push_back({Grade::ok, "udev", "its rules are installed"});
  return findings;
}

std::vector<Finding> examine_memory(const DoctorPlaces& places) {
  std::istringstream status(read_text(places.kernel.proc + "/self/status"));
  u64 capabilities = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("CapEff:"))
      capabilities = std::strtoull(line.c_str() + line.find(':') + 1, nullptr, 16);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) throw_errno("the limit of locked memory is not known");
  const bool may_lock = (capabilities >> CAP_IPC_LOCK & 1) != 0;
  if (may_lock || limit.rlim_cur == RLIM_INFINITY) return {{Grade::ok, "memory", "it can be locked"}};
  return {{Grade::warn, "memory",
           "only " + std::to_string(limit.rlim_cur) +
               " bytes can be locked: with its memory swapped out the daemon may wait for a disk that waits "
               "for it; "
               "run it as root with CAP_IPC_LOCK, or with LimitMEMLOCK=infinity"}};
}

}  // namespace tcmufs::volume
