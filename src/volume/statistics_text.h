#pragma once

#include <string>

#include "volume/statistics.h"

namespace tcmufs::volume {

/// The files `stats`, `stats.json` and `latency` in .ctl/vol/PATH. Latencies are microseconds in the first,
/// nanoseconds in the others.
bool is_statistics_file(const std::string& file);
std::string statistics_file(const StatisticsFigures& figures, const std::string& file);

}  // namespace tcmufs::volume
