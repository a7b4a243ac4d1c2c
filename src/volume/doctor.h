#pragma once

#include <string>
#include <vector>

#include "lio/config_tree.h"
#include "lio/kernel.h"
#include "sys/integers.h"

namespace tcmufs::volume {

struct Finding {
  enum class Grade {
    ok,
    warn,  // disks work, but not as they could, or not for ever
    fix,   // something is broken, or will fail
  };

  Grade grade = Grade::ok;
  std::string topic;     // one word: "modules"
  std::string sentence;  // what is, and what to do about it
};

/// Where things are; other than these only in tests.
struct DoctorPlaces {
  lio::KernelPlaces kernel;
  std::vector<std::string> udev_rules = {"/etc/udev/rules.d", "/run/udev/rules.d",
                                         "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d",
                                         "/lib/udev/rules.d"};
};

/// Looks at the machine and, unless it is empty, at the directory `store`; changes nothing but for files
/// without a name that it makes in the store for a moment. What cannot be looked at is a finding too.
std::vector<Finding> examine(lio::ConfigTree& tree, const std::string& store,
                             const DoctorPlaces& places = {});

/// A line each: "FIX modules: SENTENCE".
std::string doctor_text(const std::vector<Finding>& findings);
bool must_be_fixed(const std::vector<Finding>& findings);

// One topic each; they throw Failure for what cannot be looked at.
std::vector<Finding> examine_modules(const DoctorPlaces& places);
std::vector<Finding> examine_configfs(const DoctorPlaces& places);
/// Backstores of other programs, and tcmu-runner.
std::vector<Finding> examine_others(lio::ConfigTree& tree, const DoctorPlaces& places);
/// What is ours in the kernel, of any store, and served by no process.
std::vector<Finding> examine_leftovers(lio::ConfigTree& tree, const DoctorPlaces& places);
std::vector<Finding> examine_multipath(const DoctorPlaces& places);
std::vector<Finding> examine_udev(const DoctorPlaces& places);
std::vector<Finding> examine_memory(const DoctorPlaces& places);
/// What its file system can do.
std::vector<Finding> examine_store(const std::string& store);
/// What has been promised, against what is free.
std::vector<Finding> examine_space(const std::string& store);
Finding judge_space(u64 promised_bytes, u64 free_bytes, u64 whole_bytes);

}  // namespace tcmufs::volume
