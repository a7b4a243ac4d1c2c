#include "ctlfs/names.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tcmufs::ctlfs {

bool reserved_name(const std::string& name) {
  return name == ".ctl" || name == ".tcmufs" || name == "status";
}

bool temporary_name(const std::string& name) {
  static constexpr std::array<std::string_view, 4> kEndings{"~", ".part", ".tmp", ".swp"};
  const std::string_view view(name);
  return view.starts_with('.') || std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view ending) {
           return view.ends_with(ending);
         });
}

std::string joined(const std::string& directory, const std::string& name) {
  if (directory.empty()) return name;
  return name.empty() ? directory : directory + "/" + name;
}

bool within(const std::string& path, const std::string& ancestor) {
  if (ancestor.empty()) return true;
  return path.starts_with(ancestor) && (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

}  // namespace tcmufs::ctlfs
