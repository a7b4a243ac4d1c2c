#pragma once

#include <string>
#include <vector>

#include "mountctl/command_create.h"

namespace tcmufs::mountctl {

/// The settings that a directory of control files has (.ctl/vol/NAME, .ctl/defaults), by name: the files that
/// can be read and written, but for the verbs and the size. Throws Failure.
std::vector<std::string> settings_in(const std::string& mount, const std::string& directory);

/// "KEY=VALUE" taken apart. Throws Refusal (usage).
VolumeSettings parse_settings(const std::vector<std::string>& words);

/// Throws Refusal (usage) that lists `known` unless `key` is among them.
void require_setting(const std::vector<std::string>& known, const std::string& key);

}  // namespace tcmufs::mountctl
