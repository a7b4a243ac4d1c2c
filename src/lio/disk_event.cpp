#include "lio/disk_event.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "sys/fd.h"

namespace tcmufs::lio {

namespace {

// Not as a text file is written: nothing is made where nothing is.
void announce(const std::string& device, std::string_view event) noexcept {
  const Fd file(::open((device + "/uevent").c_str(), O_WRONLY | O_CLOEXEC));
  if (file) static_cast<void>(!::write(file.number(), event.data(), event.size()));
}

}  // namespace

void announce_change(const ScsiDisk& disk, const std::string& sysfs) noexcept {
  announce(sysfs + "/block/" + disk.name, "change");
}

void announce_again(const ScsiDisk& disk, const std::string& sysfs) noexcept {
  announce(sysfs + "/block/" + disk.name, "add");
  if (disk.sg.empty()) return;
  announce(sysfs + "/class/scsi_generic/" + disk.sg.substr(disk.sg.rfind('/') + 1), "add");
}

}  // namespace tcmufs::lio
