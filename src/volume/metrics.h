#pragma once

#include <string>
#include <vector>

#include "volume/facts.h"
#include "volume/statistics.h"

namespace tcmufs::volume {

struct VolumeMetrics {
  Facts facts;
  StatisticsFigures figures;
  u64 allocated_bytes = 0;
  u64 oldest_ns = 0;  // age of the oldest command in flight
};

/// The file .ctl/metrics: OpenMetrics text. Units are seconds and bytes.
std::string metrics_text(const Service& service, const std::vector<VolumeMetrics>& volumes);

/// As the value of a label: in UTF-8, with backslashes, quotes and line ends escaped. A name that is no UTF-8
/// has its bytes from 0x80 on as \xNN.
std::string label_value(const std::string& text);

}  // namespace tcmufs::volume
