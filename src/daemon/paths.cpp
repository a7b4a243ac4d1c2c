#include "daemon/paths.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "sys/error.h"

namespace tcmufs::daemon {

namespace {

std::string resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> result(::realpath(path.c_str(), nullptr), &std::free);
  return result ? result.get() : "";
}

std::string resolved_directory(const std::string& path, const std::string& what) {
  std::string result = resolved(path);
  if (result.empty()) {
    throw_errno(what + " " + quoted(path) + " cannot be used",
                errno == ENOENT ? "Create it: mkdir -p " + path : "");
  }
  struct stat st {};
  if (::stat(result.c_str(), &st) != 0) throw_errno(what + " " + quoted(path) + " cannot be used");
  if (!S_ISDIR(st.st_mode)) throw Failure(ENOTDIR, what + " " + quoted(path) + " is no directory");
  return result;
}

// Looking at a mount whose daemon has died fails with ENOTCONN; its parent can still be resolved.
std::string resolved_mount_point(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0 || errno != ENOTCONN) return resolved_directory(path, "the mount point");
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  const auto name = trimmed.rfind('/') + 1;  // 0 where there is no slash
  const std::string parent =
      resolved_directory(name == 0 ? "." : trimmed.substr(0, name), "the mount point's directory");
  return (parent == "/" ? "" : parent) + "/" + trimmed.substr(name);
}

bool lies_in(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory == "/" ? directory : directory + "/");
}

}  // namespace

Paths resolve_paths(const std::string& store, const std::string& mount_point) {
  Paths paths = {resolved_directory(store, "the store"), resolved_mount_point(mount_point)};
  if (lies_in(paths.store, paths.mount_point) || lies_in(paths.mount_point, paths.store)) {
    throw Failure(EINVAL, "the store " + tcmufs::quoted(paths.store) + " and the mount point " +
                              tcmufs::quoted(paths.mount_point) + " must not lie in one another");
  }
  return paths;
}

}  // namespace tcmufs::daemon
