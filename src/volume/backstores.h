#pragma once

#include <map>
#include <string>
#include <vector>

#include "lio/config_tree.h"
#include "lio/kernel.h"

namespace tcmufs::volume {

/// A backstore of TCMU as the kernel has it, whoever made it.
struct KernelBackstore {
  std::string path;        // "core/user_7/NAME"
  std::string dev_config;

  bool ours() const;
  std::string store() const;   // of one that is ours: the store's uuid, or "library"
  std::string volume() const;  // and the volume's
  /// As the kernel names its UIO device.
  std::string uio_name() const;
};

std::vector<KernelBackstore> kernel_backstores(lio::ConfigTree& tree);

/// The processes there are, by their numbers. Those that have been killed, but are held in the kernel by what
/// they wait for, are not `living`: they will do nothing more.
std::vector<std::string> process_numbers(const lio::KernelPlaces& places);
bool is_living(const lio::KernelPlaces& places, const std::string& process);
/// "17 (dd)".
std::string shown_process(const lio::KernelPlaces& places, const std::string& process);

/// What living processes serve, and which process that is, in words.
struct Served {
  std::map<std::string, std::string> uio_names;  // as the kernel names the UIO devices they have open
  std::map<std::string, std::string> stores;     // the uuids of those whose lock others have open
};
Served find_served(const lio::KernelPlaces& places);

}  // namespace tcmufs::volume
