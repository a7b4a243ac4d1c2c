#include "lio/disk_queue.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "sys/fd.h"

namespace tcmufs::lio {

// Not as a text file is written: nothing is made where nothing is.
void bypass_scheduler(const ScsiDisk& disk, const std::string& sysfs) noexcept {
  constexpr std::string_view none = "none";
  const Fd file(::open((sysfs + "/block/" + disk.name + "/queue/scheduler").c_str(), O_WRONLY | O_CLOEXEC));
  if (file) static_cast<void>(!::write(file.number(), none.data(), none.size()));
}

}  // namespace tcmufs::lio
