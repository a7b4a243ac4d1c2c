#include "mountctl/settings_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem.hpp>

#include "mountctl/control_file.h"
#include "mountctl/refusal.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

bool is_setting(const std::string& path, const std::string& name) {
  struct stat st {};
  return name != "ctl" && name != "size" && ::lstat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) &&
         (st.st_mode & S_IRUSR) != 0 && (st.st_mode & S_IWUSR) != 0;
}

}  // namespace

std::vector<std::string> settings_in(const std::string& mount, const std::string& directory) {
  boost::system::error_code error;
  std::vector<std::string> names;
  boost::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != boost::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_setting(entry->path().string(), name)) names.push_back(name);
  }
  if (error) {
    throw Failure(error.value(), "cannot list " + quoted(directory), advice_for(mount, error.value()));
  }
  std::ranges::sort(names);
  return names;
}

VolumeSettings parse_settings(const std::vector<std::string>& words) {
  VolumeSettings settings;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == 0 || equals == std::string::npos || word.find('\n') != std::string::npos) {
      throw Refusal(ExitStatus::usage, quoted(word) + " is no setting: write KEY=VALUE, like queue_depth=64");
    }
    settings.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return settings;
}

void require_setting(const std::vector<std::string>& known, const std::string& key) {
  if (std::ranges::find(known, key) != known.end()) return;
  std::string names;
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  throw Refusal(ExitStatus::usage, "there is no setting " + quoted(key) + "; there are: " + names);
}

}  // namespace tcmufs::mountctl
