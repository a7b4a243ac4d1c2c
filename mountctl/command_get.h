#pragma once

#include <ostream>
#include <string>

namespace tcmufs::mountctl {

/// The settings of a volume as a table, or the value of one, `key`, alone. JSON: an object. Throws Refusal
/// (usage) for a key that is none, with those there are.
void get_settings(const std::string& mount, const std::string& name, const std::string& key, bool json,
                  std::ostream& out);

}  // namespace tcmufs::mountctl
