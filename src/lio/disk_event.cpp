#include "lio/disk_event.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "sys/fd.h"

namespace tcmufs::lio {

namespace {

// Not as a text file is written: nothing is made where nothing is.
void announce(const std::string& device) noexcept {
  constexpr std::string_view change = "change";
  const Fd file(::open((device + "/uevent").c_str(), O_WRONLY | O_CLOEXEC));
  if (file) static_cast<void>(!::write(file.number(), change.data(), change.size()));
}

}  // namespace

void announce_change(const ScsiDisk& disk, const std::string& sysfs) noexcept {
  announce(sysfs + "/block/" + disk.name);
}

void announce_generic_change(const ScsiDisk& disk, const std::string& sysfs) noexcept {
  if (!disk.sg.empty()) announce(sysfs + "/class/scsi_generic/" + disk.sg.substr(disk.sg.rfind('/') + 1));
}

}  // namespace tcmufs::lio
