#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace tcmufs::mountctl {

/// Where explain looks; tests have their own.
struct ExplainPlaces {
  std::string sys = "/sys";
  std::string mountinfo = "/proc/self/mountinfo";
  /// The kernel's name (sda1, sg0) of the device that a path is, follows links; nothing: it is none.
  std::function<std::optional<std::string>(const std::string& path)> device_name;
};

/// device_name of the real system.
std::optional<std::string> system_device_name(const std::string& path);

/// Says what a device, a partition, something stacked on them, the mount point of a file system on them, a
/// link in /dev/tcmufs, a file of a mount, an image, or a volume's name is: in sentences, or as a JSON
/// object. `mounts` are looked through. Throws Refusal (failed) if it is none of ours, Failure if it is
/// nothing at all: neither a volume's name nor a path.
void explain(const std::vector<std::string>& mounts, const std::string& subject, bool json,
             const ExplainPlaces& places, std::ostream& out);

}  // namespace tcmufs::mountctl
