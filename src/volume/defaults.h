#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "sys/error.h"
#include "volume/catalog.h"
#include "volume/settings.h"

namespace tcmufs::volume {

/// The settings that new volumes get: what the store keeps, and over it the options of this mount, which the
/// store does not keep. What is set later holds for both. All members may be called from any thread.
class Defaults {
 public:
  /// Throws Failure (EINVAL) for options that are none. If what the store keeps cannot be read, current()
  /// says so until one of them is set: no volume is given other settings than somebody chose.
  Defaults(Catalog& catalog, const SettingValues& of_mount);

  Settings current() const;
  /// Throws Failure, and then nothing has changed.
  void set(const std::string& name, const std::string& value);

 private:
  Catalog& catalog_;
  std::mutex changing_;       // held while one is set
  mutable std::mutex mutex_;  // guards what follows; nothing that blocks is done under it
  Settings stored_;
  Settings current_;
  std::optional<Failure> problem_;
};

}  // namespace tcmufs::volume
