#pragma once

#include <unistd.h>

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "mountctl/counters.h"
#include "sys/deadline.h"

namespace tcmufs::mountctl {

/// What one look at the mount has found of a volume.
struct VolumeLook {
  std::string name;
  std::string state;
  std::optional<VolumeCounters> counters;  // nothing: it went away meanwhile
};
struct MountLook {
  Deadline::Clock::time_point time;
  std::vector<VolumeLook> volumes;  // as the mount lists them
};

/// Throws Failure (the daemon is dead, the mount is gone) or Refusal.
MountLook look_at(const std::string& mount);

/// What a volume has done between two looks.
struct VolumeActivity {
  std::string name;
  std::string state;
  double seconds = 1;
  VolumeCounters counters;  // of these seconds

  double per_second(u64 count) const { return static_cast<double>(count) / seconds; }
};
/// A volume that one of the looks has not seen did nothing.
std::vector<VolumeActivity> activities(const MountLook& before, const MountLook& after);

void busiest_first(std::vector<VolumeActivity>& volumes);

std::string activity_table(const std::vector<VolumeActivity>& volumes, bool colour);
/// One line.
std::string activity_json(const std::string& mount, double seconds,
                          const std::vector<VolumeActivity>& volumes);

struct TopOptions {
  bool once = false;
  bool json = false;
  bool colour = false;
  Deadline::Clock::duration interval = std::chrono::seconds(1);
  int keyboard = STDIN_FILENO;
  int screen = STDOUT_FILENO;
};

/// Prints what the volumes do, in each interval: one only, or until the user ends it. On a terminal (without
/// `once` and `json`) it is one table that changes, the busiest volumes first. Throws what look_at() throws.
void show_top(const std::string& mount, const TopOptions& options, std::ostream& out);

}  // namespace tcmufs::mountctl
