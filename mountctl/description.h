#pragma once

#include <string>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::mountctl {

struct DescribedSetting {
  std::string key;
  std::string value;  // as a control file takes it
  bool is_text = false;
  unsigned line = 0;
};

struct DescribedVolume {
  std::string name;  // path below the mount
  u64 size_bytes = 0;
  std::vector<DescribedSetting> settings;
  unsigned line = 0;
};

/// Which volumes there are to be.
struct Description {
  std::string shown;  // the file
  std::vector<DescribedVolume> volumes;
};

/// From TOML, or from JSON if the first character is a brace: a table "volumes" that has a table for each
/// volume, with its "size" (a text like "10G", or bytes) and settings. Throws Refusal (usage) with the line.
Description parse_description(const std::string& text, const std::string& shown);

/// `description` with what only the mount can say, before anything is changed: names as they are below the
/// mount, settings that there are (those of .ctl/defaults), numbers where the default is one, block sizes
/// first. Throws Refusal (usage) with the line, Failure if the mount does not answer.
Description fitted_to(const std::string& mount, Description description);

}  // namespace tcmufs::mountctl
