#pragma once

#include <optional>
#include <string>

#include "lio/config_directory.h"
#include "lio/config_tree.h"
#include "sys/integers.h"

namespace tcmufs::lio {

struct BackstoreOptions {
  std::string name;        // directory name below user_<hba>; [a-z0-9-], at most 63 bytes: the volume's uuid
  std::optional<u32> hba;  // user_<hba>, which others may share; none: one of its own
  std::string dev_config;  // dev_config_for(): how objects of ours are known
  std::string serial;      // wwn/vpd_unit_serial
  u64 size_bytes = 0;
  u32 block_size_bytes = 512;
  u32 max_sectors = 0;  // hw_max_sectors; 0: leave the kernel's default
  u32 data_pages_per_block =
      16;  // the data area is given out in blocks of so many pages; not 0, which is a kernel oops
  u32 max_data_area_mb = 8;
  u32 ring_size_mb = 1;
  u32 command_timeout_s = 0;  // cmd_time_out; 0: never
};

/// core/user_<hba>/<name>: one TCMU device on an HBA, configured and enabled. Undoes itself.
class Backstore {
 public:
  /// Makes it, or, if the device is there already (enabled, with this dev_config, exported), takes it over as
  /// it is; EBUSY, and it is left alone, if it has blocks of another size. One that is exported nowhere is
  /// made anew: nobody uses it, and a crash leaves open what the kernel was told of its reservations.
  /// qfull_time_out=-1, nl_reply_supported=-1. What was made is undone if a later step fails.
  /// A device of ours that a crash left half-made (not enabled) is removed first. Throws Failure, EINVAL for
  /// options that must not reach the kernel.
  Backstore(ConfigTree& tree, const BackstoreOptions& options);
  ~Backstore() = default;
  Backstore(const Backstore&) = delete;
  Backstore& operator=(const Backstore&) = delete;

  /// Removes the device and its HBA; throws Failure. The destructor does it otherwise.
  void remove();
  /// Gives it up without removing it.
  void abandon() noexcept;

  const std::string& path() const noexcept { return device_.path(); }  // "core/user_7/NAME"
  const std::string& serial() const noexcept { return serial_; }
  const std::string& uio_name() const noexcept { return uio_name_; }  // "tcm-user/7/NAME/DEV_CONFIG"
  bool taken_over() const noexcept { return taken_over_; }

 private:
  struct Parts;
  static Parts find_or_make(ConfigTree& tree, const BackstoreOptions& options);
  Backstore(ConfigTree& tree, const BackstoreOptions& options, Parts parts);

  // Undone from the last to the first.
  ConfigDirectory hba_;
  ConfigDirectory device_;
  std::string serial_;
  std::string uio_name_;
  bool taken_over_ = false;
};

}  // namespace tcmufs::lio
