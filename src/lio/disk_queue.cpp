#include "lio/disk_queue.h"

#include <exception>

#include "lio/disk_files.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

void bypass_scheduler(const ScsiDisk& disk, const std::string& sysfs) noexcept {
  const std::string file = sysfs + "/block/" + disk.name + "/queue/scheduler";
  try {
    if (path_exists(file)) write_kernel_file(file, "none");  // waits for the commands that are under way
  } catch (const std::exception&) {                          // then it keeps its scheduler
  }
}

void tune_queue(const ScsiDisk& disk, u32 queue_depth, u32 read_ahead_kb, const std::string& sysfs) {
  const std::string directory = sysfs + "/block/" + disk.name;
  const auto set = [&](const std::string& file, u32 value) {
    const std::string text = std::to_string(value);
    if (read_line(directory + file) != text) write_kernel_file(directory + file, text);
  };
  set("/device/queue_depth", queue_depth);
  set("/queue/read_ahead_kb", read_ahead_kb);
}

}  // namespace tcmufs::lio
