#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::attach {

/// What the kernel calls the UIO device of a TCMU backstore: "tcm-user/HBA/NAME/DEV_CONFIG". By convention
/// dev_config is "HANDLER/CONFIG", and the program that serves HANDLER serves it.
struct UioName {
  u32 hba = 0;
  std::string name;
  std::string dev_config;

  static std::optional<UioName> parse(std::string_view text);

  std::string text() const;
  std::string backstore() const;  // "core/user_7/NAME"
  std::string handler() const;    // of dev_config: up to the first '/'
  std::string config() const;     // what follows that
};

/// A UIO device that is there: /dev/uio<minor>.
struct UioDevice {
  u32 minor = 0;
  UioName name;
};

/// The name of /dev/uio<minor>, if that is a TCMU device. `sysfs` is "/sys" outside tests.
std::optional<UioName> uio_name_of(u32 minor, const std::string& sysfs = "/sys");

/// All TCMU devices of this machine. `sysfs` is "/sys" outside tests.
std::vector<UioDevice> uio_devices(const std::string& sysfs = "/sys");

}  // namespace tcmufs::attach
