#include "lio/configfs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>

#include "lio/config_directory.h"
#include "lio/directory.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

Configfs::Configfs(CleanupFailed cleanup_failed, std::string root)
    : root_(std::move(root)), cleanup_failed_(std::move(cleanup_failed)) {}

bool Configfs::exists(const std::string& path) {
  return path_exists(full(path));
}

std::vector<std::string> Configfs::list(const std::string& path) {
  return names_in(full(path));
}

void Configfs::make_directory(const std::string& path) {
  if (::mkdir(full(path).c_str(), 0755) != 0) throw_errno("cannot make the directory " + quoted(full(path)));
}

void Configfs::remove_directory(const std::string& path) {
  if (::rmdir(full(path).c_str()) != 0) throw_errno("cannot remove the directory " + quoted(full(path)));
}

std::string Configfs::read(const std::string& path) {
  return read_text(full(path));
}

void Configfs::write(const std::string& path, const std::string& value) {
  write_text(full(path), value);
}

void Configfs::link(const std::string& target, const std::string& path) {
  if (::symlink(full(target).c_str(), full(path).c_str()) != 0) {
    throw_errno("cannot link " + quoted(full(target)) + " as " + quoted(full(path)));
  }
}

void Configfs::unlink(const std::string& path) {
  if (::unlink(full(path).c_str()) != 0) throw_errno("cannot remove the link " + quoted(full(path)));
}

std::optional<std::string> Configfs::link_target(const std::string& path) {
  struct stat st {};
  if (::lstat(full(path).c_str(), &st) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw_errno("cannot look at " + quoted(full(path)));
  }
  if (!S_ISLNK(st.st_mode)) return std::nullopt;
  const auto real = [](const std::string& name) {
    char resolved[PATH_MAX];
    if (::realpath(name.c_str(), resolved) == nullptr) throw_errno("cannot follow the link " + quoted(name));
    return std::string(resolved);
  };
  const std::string root = real(root_) + "/";
  std::string target;
  if (!tolerating({ENOENT}, [&] { target = real(full(path)); })) return std::nullopt;  // gone meanwhile
  return target.starts_with(root) ? target.substr(root.size()) : target;
}

void Configfs::cleanup_failed(const std::string& sentence) noexcept {
  if (cleanup_failed_) cleanup_failed_(sentence);
}

}  // namespace tcmufs::lio
