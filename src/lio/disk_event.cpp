#include "lio/disk_event.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "sys/fd.h"

namespace tcmufs::lio {

// Not as a text file is written: nothing is made where nothing is.
void announce_change(const ScsiDisk& disk, const std::string& sysfs) noexcept {
  constexpr std::string_view change = "change";
  const Fd file(::open((sysfs + "/block/" + disk.name + "/uevent").c_str(), O_WRONLY | O_CLOEXEC));
  if (file) static_cast<void>(!::write(file.number(), change.data(), change.size()));
}

}  // namespace tcmufs::lio
