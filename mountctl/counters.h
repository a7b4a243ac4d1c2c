#pragma once

#include <map>
#include <optional>
#include <string>

#include "sys/integers.h"

namespace tcmufs::mountctl {

/// One operation (read, write, flush ...) of a volume, since the daemon started.
struct OperationCounters {
  struct Bucket {
    u64 below_ns = 0;  // 0: no end
    u64 commands = 0;
  };

  u64 commands = 0;
  u64 bytes = 0;
  u64 errors = 0;
  std::map<u64, Bucket> latency;  // by lowest value in nanoseconds
};

struct VolumeCounters {
  u64 in_flight = 0;
  std::map<std::string, OperationCounters> operations;
};

/// .ctl/vol/NAME/stats.json; `shown` is where the text is from. Throws Refusal.
VolumeCounters parse_counters(const std::string& text, const std::string& shown);

/// What happened between two looks. Counters that have gone back were begun anew by another daemon: what
/// they show then counts as if it had been 0 before.
VolumeCounters difference(const VolumeCounters& before, const VolumeCounters& after);

/// Of all operations together.
OperationCounters sum_of(const VolumeCounters& counters);

/// The time that `per_mille` of the commands did not exceed, as precise as the buckets are, never too low but
/// for those of the last bucket; nothing if there were no commands.
std::optional<u64> percentile_ns(const OperationCounters& operation, unsigned per_mille);

}  // namespace tcmufs::mountctl
