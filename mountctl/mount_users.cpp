#include "mountctl/mount_users.h"

#include <algorithm>
#include <boost/filesystem.hpp>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::mountctl {

namespace {

namespace fs = boost::filesystem;

std::optional<pid_t> process_number(const std::string& name) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return pid;
}

/// Where the link points, if that is the mount or below it; empty otherwise.
std::string target_in_mount(const fs::path& link, const std::string& mount) {
  boost::system::error_code error;
  const std::string target = fs::read_symlink(link, error).string();
  return !error && (target == mount || target.starts_with(mount + "/")) ? target : std::string();
}

std::string program_name(const fs::path& process) {
  try {
    return read_line((process / "comm").string());
  } catch (const Failure&) {  // it may have ended
    return "?";
  }
}

/// "has '/mnt/disks/db0' open", or empty.
std::string use_of_mount(const fs::path& process, const std::string& mount) {
  for (const auto& [link, meaning] :
       {std::pair("cwd", "working directory"), std::pair("root", "root directory")}) {
    const std::string target = target_in_mount(process / link, mount);
    if (!target.empty()) return "has " + quoted(target) + " as its " + meaning;
  }
  boost::system::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string target = target_in_mount(entry->path(), mount);
    if (!target.empty()) return "has " + quoted(target) + " open";
  }
  return {};
}

}  // namespace

std::vector<std::string> users_of_mount(const std::string& mount, const std::vector<pid_t>& excluded,
                                        const std::string& proc) {
  std::vector<std::string> users;
  boost::system::error_code error;
  for (fs::directory_iterator entry(proc, error), end; !error && entry != end; entry.increment(error)) {
    const auto pid = process_number(entry->path().filename().string());
    if (!pid || std::find(excluded.begin(), excluded.end(), *pid) != excluded.end()) continue;
    const std::string use = use_of_mount(entry->path(), mount);
    if (!use.empty()) {
      users.push_back("process " + std::to_string(*pid) + " (" + program_name(entry->path()) + ") " + use);
    }
  }
  std::sort(users.begin(), users.end());
  return users;
}

}  // namespace tcmufs::mountctl
