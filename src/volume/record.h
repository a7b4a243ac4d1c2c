#pragma once

#include <optional>
#include <string>

#include "sys/integers.h"
#include "sys/uuid.h"
#include "volume/settings.h"

namespace tcmufs::volume {

/// What the store keeps of a volume or directory besides its contents: identity and settings. On disk it is a
/// JSON object with "format": 1; keys that this version does not know are an error, so that an older daemon
/// never drops what a newer one wrote.
struct Record {
  Uuid uuid;
  Settings settings{};
  std::optional<u32> lun;  // the LUN it had in its target the last time
  bool draft = false;      // never attached yet, and not to be before it is asked for
  std::string target{};    // of a link: what it leads to; empty: it is none
  std::string medium{};    // which file or device was its image when it became a disk the last time

  std::string text() const;
  /// Throws Failure (EBADMSG) that says what is wrong with the text; `path` is where it came from.
  static Record parse(const std::string& text, const std::string& path);

  bool operator==(const Record&) const = default;
};

/// The settings of new volumes, as the store keeps them: a JSON object with "format": 1, under the same rule.
std::string defaults_text(const Settings& settings);
Settings parse_defaults(const std::string& text, const std::string& path);

}  // namespace tcmufs::volume
