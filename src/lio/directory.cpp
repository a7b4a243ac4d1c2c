#include "lio/directory.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "sys/error.h"

namespace tcmufs::lio {

namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

}  // namespace

std::vector<std::string> names_in(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (!directory) throw_errno("cannot open the directory " + quoted(path));
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) throw_errno("cannot read the directory " + quoted(path));
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> names_in_if_there(const std::string& path) {
  try {
    return names_in(path);
  } catch (const Failure&) {
    return {};
  }
}

}  // namespace tcmufs::lio
