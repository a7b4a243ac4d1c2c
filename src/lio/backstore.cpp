#include "lio/backstore.h"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "lio/config_text.h"
#include "lio/hba.h"
#include "sys/deadline.h"
#include "sys/error.h"

namespace tcmufs::lio {

struct Backstore::Parts {
  ConfigDirectory hba;
  ConfigDirectory device;
};

namespace {

constexpr int device_tries = 3;
constexpr auto uio_name_grace = std::chrono::seconds(5);
constexpr std::size_t longest_backstore_name = 63;
constexpr std::size_t longest_dev_config = 255;  // TCMU_CONFIG_LEN less the NUL
constexpr std::size_t longest_serial = 253;      // INQUIRY_VPD_SERIAL_LEN less the NUL

// The kernel splits `control` at commas and newlines, without a way to quote them.
bool fits_in_control(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ','; });
}

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_backstore_name &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

void validate(const BackstoreOptions& options) {
  const auto refuse = [](const std::string& what, const std::string& value, const std::string& rule) {
    throw Failure(EINVAL, "the " + what + " " + quoted(value) + " of a backstore must be " + rule);
  };
  if (!good_name(options.name)) refuse("name", options.name, "1 to 63 of the characters a-z, 0-9 and '-'");
  if (options.dev_config.empty() || options.dev_config.size() > longest_dev_config ||
      !fits_in_control(options.dev_config)) {
    refuse("dev_config", options.dev_config, "1 to 255 printable characters without space and comma");
  }
  if (options.serial.empty() || options.serial.size() > longest_serial || !fits_in_control(options.serial)) {
    refuse("serial", options.serial, "1 to 253 printable characters without space and comma");
  }
}

std::string control_string(const BackstoreOptions& options) {
  std::string text = "dev_size=" + std::to_string(options.size_bytes) + ",dev_config=" + options.dev_config +
                     ",hw_block_size=" + std::to_string(options.block_size_bytes);
  if (options.max_sectors != 0) text += ",hw_max_sectors=" + std::to_string(options.max_sectors);
  // Else the kernel gives the data area out by the page, and large commands take ten percent longer.
  text += ",data_pages_per_blk=" + std::to_string(options.data_pages_per_block);
  return text + ",nl_reply_supported=-1,max_data_area_mb=" + std::to_string(options.max_data_area_mb) +
         ",cmd_ring_size_mb=" + std::to_string(options.ring_size_mb);
}

// The kernel gives the number of a UIO device that is being removed away before its name is free (6.1,
// uio_unregister_device): whoever gets it meanwhile has EEXIST, and the device stays as it was.
void enable(ConfigTree& tree, const std::string& device) {
  const auto write = [&] { tree.write(device + "/enable", "1"); };
  if (!poll_until(Deadline::after(uio_name_grace), [&] { return tolerating({EEXIST}, write); })) write();
}

// Enabling is the last step: a device that is enabled is complete.
void configure(ConfigTree& tree, const std::string& device, const BackstoreOptions& options) {
  tree.write(device + "/control", control_string(options));
  tree.write(device + "/wwn/vpd_unit_serial", options.serial);
  tree.write(device + "/attrib/cmd_time_out", std::to_string(options.command_timeout_s));
  tree.write(device + "/attrib/qfull_time_out", "-1");
  enable(tree, device);
}

void write_if_different(ConfigTree& tree, const std::string& path, const std::string& value) {
  if (read_value(tree, path) != value) tree.write(path, value);
}

// An initiator counts in the blocks that the device had when it was found: served with others, every block
// would be a wrong one.
void check_block_size(ConfigTree& tree, const std::string& device, u32 block_size_bytes) {
  const std::string present = read_value(tree, device + "/attrib/hw_block_size");
  if (present == std::to_string(block_size_bytes)) return;
  throw Failure(EBUSY,
                "the device " + quoted(device) + " is in the kernel already, with blocks of " + present +
                    " bytes, and cannot be taken over with blocks of " + std::to_string(block_size_bytes),
                "Set the volume's block_size to " + present);
}

void remove_half_made(ConfigTree& tree, const std::string& hba, const std::string& device) {
  tree.remove_directory(device);
  tolerating({ENOENT, ENOTEMPTY}, [&] { tree.remove_directory(hba); });
}

bool is_exported(ConfigTree& tree, const std::string& device) {
  return read_value(tree, device + "/statistics/scsi_tgt_dev/status") == "activated";
}

// The path of the HBA that has the complete device of these options; half-made ones are removed on the way.
std::string find_complete(ConfigTree& tree, const BackstoreOptions& options) {
  std::string found;
  for (const std::string& hba : user_hbas(tree)) {
    const std::string device = hba + "/" + options.name;
    if (!tree.exists(device)) continue;
    const std::string dev_config = read_value(tree, device + "/attrib/dev_config");
    const bool complete = read_value(tree, device + "/enable") == "1" && is_exported(tree, device);
    const u32 number = *user_hba_number(hba.substr(5));
    const bool never_named = dev_config.empty() && (number >= first_hba_number || number == options.hba);
    if (complete && dev_config == options.dev_config) {
      found = hba;
    } else if (!complete && (dev_config == options.dev_config || never_named)) {
      remove_half_made(tree, hba, device);
    }
  }
  return found;
}

}  // namespace

Backstore::Parts Backstore::find_or_make(ConfigTree& tree, const BackstoreOptions& options) {
  validate(options);
  const std::string found = find_complete(tree, options);
  if (!found.empty()) {
    ConfigDirectory hba(tree, found, ConfigDirectory::Sharing::shared);
    return {std::move(hba), ConfigDirectory(tree, found + "/" + options.name)};
  }
  for (int tries = 1;; ++tries) {
    ConfigDirectory hba = options.hba ? shared_hba(tree, *options.hba) : make_hba(tree, options.name);
    const std::string path = hba.path() + "/" + options.name;
    try {
      ConfigDirectory device(tree, path);
      if (!device.made()) throw Failure(EEXIST, quoted(path) + " is there already, and is somebody else's");
      return {std::move(hba), std::move(device)};
    } catch (const Failure& failure) {
      // Somebody who clears away empty HBAs came in between.
      if (failure.error() != ENOENT || tries == device_tries) throw;
    }
  }
}

Backstore::Backstore(ConfigTree& tree, const BackstoreOptions& options)
    : Backstore(tree, options, find_or_make(tree, options)) {}

Backstore::Backstore(ConfigTree& tree, const BackstoreOptions& options, Parts parts)
    : hba_(std::move(parts.hba)),
      device_(std::move(parts.device)),
      serial_(options.serial),
      taken_over_(!device_.made()) {
  if (taken_over_) {
    check_block_size(tree, path(), options.block_size_bytes);
    // cmd_time_out cannot be changed while it is exported, and has been set before it was enabled.
    write_if_different(tree, path() + "/attrib/qfull_time_out", "-1");
  } else {
    configure(tree, path(), options);
  }
  const u32 number = *user_hba_number(hba_.path().substr(5));
  uio_name_ = "tcm-user/" + std::to_string(number) + "/" + options.name + "/" + options.dev_config;
  hba_.take_over();
  device_.take_over();
}

void Backstore::remove() {
  device_.remove();
  hba_.remove();
}

void Backstore::abandon() noexcept {
  device_.abandon();
  hba_.abandon();
}

}  // namespace tcmufs::lio
