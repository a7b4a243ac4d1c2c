// Prints .ctl/metrics of a mount that has names of all kinds, for other programs to read.

#include <cstdio>

#include "volume/metrics.h"

int main() {
  using namespace tcmufs::volume;
  std::vector<VolumeMetrics> volumes;
  for (const char* path :
       {"db0", "web/disk0", "a \"quoted\" name", "back\\slash", "new\nline", "\xc3\xbc", "\xff\xfe"}) {
    Statistics statistics;
    for (tcmufs::u64 ns = 1; ns < tcmufs::u64{1} << 40; ns *= 3) {
      statistics.finished(Operation::read, 4096, tcmufs::scsi::Status::good, ns);
      statistics.finished(Operation::write, 512, tcmufs::scsi::Status::check_condition, ns);
    }
    VolumeMetrics volume;
    volume.facts.path = path;
    volume.facts.state = State::ready;
    volume.figures = statistics.figures();
    volumes.push_back(volume);
  }
  std::fputs(metrics_text({"1.2.3", 1, "/var/lib/tcmufs", "/mnt/disks"}, volumes).c_str(), stdout);
  return 0;
}
