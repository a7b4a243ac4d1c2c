#pragma once

#include <string>
#include <vector>

namespace tcmufs::test {

inline std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

inline std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

inline std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts{""};
  for (const char c : path) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// True for "tpgt_7" with the prefix "tpgt_".
inline bool is_numbered(const std::string& name, const std::string& prefix) {
  return name.starts_with(prefix) && name.size() > prefix.size() &&
         name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
}

inline bool is_number(const std::string& text) {
  return is_numbered(text, "") || (text.starts_with('-') && is_numbered(text, "-"));
}

}  // namespace tcmufs::test
