#include "mountctl/control_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "mountctl/refusal.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "sys/text_file.h"

namespace tcmufs::mountctl {

namespace {

/// The components of `name`: "", "a" and "b" of "/a/b".
std::vector<std::string> components(const std::string& name) {
  std::vector<std::string> result;
  std::size_t begin = 0;
  for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', begin)) {
    result.push_back(name.substr(begin, slash - begin));
    begin = slash + 1;
  }
  result.push_back(name.substr(begin));
  return result;
}

bool is_unusable(const std::string& component) {
  return component.empty() || component == "." || component == "..";
}

bool is_of_the_mount(const std::string& component) {
  return component == ".ctl" || component == ".tcmufs" || component == "status";
}

std::optional<std::string> line_if_readable(const std::string& path) {
  try {
    return read_line(path);
  } catch (const Failure&) {
    return std::nullopt;
  }
}

}  // namespace

std::string volume_name(const std::string& mount, const std::string& name) {
  std::string below = name.starts_with(mount + "/") ? name.substr(mount.size() + 1) : name;
  const auto parts = components(below);
  if (below.find('\0') != std::string::npos || std::any_of(parts.begin(), parts.end(), is_unusable)) {
    throw Refusal(ExitStatus::usage, tcmufs::quoted(name) +
                                         " is no name of a volume. A name is a path below the mount " +
                                         tcmufs::quoted(mount) + ", like db0 or web/disk0");
  }
  if (std::any_of(parts.begin(), parts.end(), is_of_the_mount)) {
    throw Failure(
        EPERM,
        tcmufs::quoted(below) + " has a name in it that the mount keeps for itself (.ctl, .tcmufs, status)",
        "Choose another name");
  }
  return below;
}

std::string control_path(const std::string& mount, const std::string& name, const std::string& file) {
  return mount + "/.ctl/vol/" + name + "/" + file;
}

std::string advice_for(const std::string& mount, int error) {
  if (error == ENOTCONN) {
    return "The daemon of the mount has died. 'mountctl umount " + mount +
           "' clears the mount away; mounting its store again takes its disks over";
  }
  if (error == EACCES) return "Become root, or mount with -o allow_other";
  return {};
}

std::string read_control(const std::string& mount, const std::string& path) {
  try {
    return read_text(path);
  } catch (const Failure& failure) {
    const std::string advice = advice_for(mount, failure.error());
    if (advice.empty()) throw;
    throw Failure(failure.error(), "cannot read " + quoted(path), advice);
  }
}

std::optional<std::string> control_line(const std::string& mount, const std::string& name,
                                        const std::string& file) {
  return line_if_readable(control_path(mount, name, file));
}

std::optional<std::string> control_line(const std::string& mount, const std::string& file) {
  return line_if_readable(mount + "/.ctl/" + file);
}

int write_control(const std::string& path, const std::string& line) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno;
  const std::string text = line + "\n";
  return ::write(file.number(), text.data(), text.size()) < 0 ? errno : 0;
}

void require_volume(const std::string& mount, const std::string& name) {
  struct stat st {};
  if (::lstat((mount + "/" + name).c_str(), &st) == 0) return;
  if (errno == ENOENT || errno == ENOTDIR) {
    throw Refusal(ExitStatus::failed, "there is no volume " + quoted(name) + " in " + quoted(mount) +
                                          ". 'mountctl list' shows those there are");
  }
  throw Failure(errno, "cannot find " + quoted(name) + " in " + quoted(mount), advice_for(mount, errno));
}

}  // namespace tcmufs::mountctl
