#include "lio/disk_queue.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "sys/fd.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

// Not as a text file is written: nothing is made where nothing is.
void bypass_scheduler(const ScsiDisk& disk, const std::string& sysfs) noexcept {
  constexpr std::string_view none = "none";
  const Fd file(::open((sysfs + "/block/" + disk.name + "/queue/scheduler").c_str(), O_WRONLY | O_CLOEXEC));
  if (file) static_cast<void>(!::write(file.number(), none.data(), none.size()));
}

void tune_queue(const ScsiDisk& disk, u32 queue_depth, u32 read_ahead_kb, const std::string& sysfs) {
  const std::string directory = sysfs + "/block/" + disk.name;
  const auto set = [&](const std::string& file, u32 value) {
    const std::string text = std::to_string(value);
    if (read_line(directory + file) != text) write_text(directory + file, text);
  };
  set("/device/queue_depth", queue_depth);
  set("/queue/read_ahead_kb", read_ahead_kb);
}

}  // namespace tcmufs::lio
