#pragma once

#include <string>

#include "lio/config_tree.h"

namespace tcmufs::lio {

/// The path of `name` in `directory`.
inline std::string below(const std::string& directory, const std::string& name) {
  std::string path = directory;
  path += '/';
  path += name;
  return path;
}

/// What an attribute says, without the newline at its end.
inline std::string read_value(ConfigTree& tree, const std::string& path) {
  std::string text = tree.read(path);
  text.erase(text.find_last_not_of(" \n\t") + 1);
  return text;
}

}  // namespace tcmufs::lio
