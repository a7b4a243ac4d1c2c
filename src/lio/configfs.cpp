#include "lio/configfs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <sstream>

#include "lio/config_directory.h"
#include "lio/directory.h"
#include "lio/disk_files.h"
#include "sys/errands.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

namespace {

Brought errand_exists(const Arguments& arguments, const Fd& /*none*/) {
  return {path_exists(arguments[0]) ? "yes" : "", {}};
}

Brought errand_list(const Arguments& arguments, const Fd& /*none*/) {
  std::string text;
  for (const std::string& name : names_in(arguments[0])) text.append(name).append("/");
  return {text, {}};
}

Brought errand_make_directory(const Arguments& arguments, const Fd& /*none*/) {
  if (::mkdir(arguments[0].c_str(), 0755) != 0)
    throw_errno("cannot make the directory " + quoted(arguments[0]));
  return {};
}

Brought errand_remove_directory(const Arguments& arguments, const Fd& /*none*/) {
  if (::rmdir(arguments[0].c_str()) != 0) throw_errno("cannot remove the directory " + quoted(arguments[0]));
  return {};
}

Brought errand_read(const Arguments& arguments, const Fd& /*none*/) {
  return {read_text(arguments[0]), {}};
}

Brought errand_link(const Arguments& arguments, const Fd& /*none*/) {
  if (::symlink(arguments[0].c_str(), arguments[1].c_str()) != 0)
    throw_errno("cannot link " + quoted(arguments[0]) + " as " + quoted(arguments[1]));
  return {};
}

Brought errand_unlink(const Arguments& arguments, const Fd& /*none*/) {
  if (::unlink(arguments[0].c_str()) != 0) throw_errno("cannot remove the link " + quoted(arguments[0]));
  return {};
}

std::string real(const std::string& name) {
  char resolved[PATH_MAX];
  if (::realpath(name.c_str(), resolved) == nullptr) throw_errno("cannot follow the link " + quoted(name));
  return resolved;
}

// "=TARGET", or nothing.
Brought errand_link_target(const Arguments& arguments, const Fd& /*none*/) {
  const std::string& path = arguments[1];
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    throw_errno("cannot look at " + quoted(path));
  }
  if (!S_ISLNK(st.st_mode)) return {};
  const std::string root = real(arguments[0]) + "/";
  std::string target;
  if (!tolerating({ENOENT}, [&] { target = real(path); })) return {};  // gone meanwhile
  return {"=" + (target.starts_with(root) ? target.substr(root.size()) : target), {}};
}

}  // namespace

Configfs::Configfs(CleanupFailed cleanup_failed, std::string root)
    : root_(std::move(root)), cleanup_failed_(std::move(cleanup_failed)) {}

// A directory is locked while something in it is made or removed, which may wait for a disk.

bool Configfs::exists(const std::string& path) {
  return !run_errand(&errand_exists, {full(path)}).text.empty();
}

std::vector<std::string> Configfs::list(const std::string& path) {
  std::vector<std::string> names;
  std::istringstream text(run_errand(&errand_list, {full(path)}).text);
  for (std::string name; std::getline(text, name, '/');) names.push_back(name);
  return names;
}

void Configfs::make_directory(const std::string& path) {
  run_errand(&errand_make_directory, {full(path)});
}

void Configfs::remove_directory(const std::string& path) {
  run_errand(&errand_remove_directory, {full(path)});
}

std::string Configfs::read(const std::string& path) {
  return run_errand(&errand_read, {full(path)}).text;
}

void Configfs::write(const std::string& path, const std::string& value) {
  write_kernel_file(full(path), value);
}

void Configfs::link(const std::string& target, const std::string& path) {
  run_errand(&errand_link, {full(target), full(path)});
}

void Configfs::unlink(const std::string& path) {
  run_errand(&errand_unlink, {full(path)});
}

std::optional<std::string> Configfs::link_target(const std::string& path) {
  const std::string found = run_errand(&errand_link_target, {root_, full(path)}).text;
  if (found.empty()) return std::nullopt;
  return found.substr(1);
}

void Configfs::cleanup_failed(const std::string& sentence) noexcept {
  if (cleanup_failed_) cleanup_failed_(sentence);
}

}  // namespace tcmufs::lio
