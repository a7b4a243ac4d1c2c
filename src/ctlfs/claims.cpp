#include "ctlfs/claims.h"

#include <algorithm>

#include "ctlfs/names.h"

namespace tcmufs::ctlfs {

Claims::Held::~Held() {
  if (paths_.empty()) return;
  const std::lock_guard lock(claims_.mutex_);
  auto& claimed = claims_.claimed_;
  for (const auto& path : paths_) claimed.erase(std::find(claimed.begin(), claimed.end(), path));
  claims_.changed_.notify_all();
}

void Claims::Held::take(std::unique_lock<std::mutex>& lock,
                        const std::function<std::vector<std::string>()>& paths) {
  std::vector<std::string> wanted = paths();
  while (!claims_.free(wanted)) {
    claims_.changed_.wait(lock);
    wanted = paths();
  }
  claims_.claimed_.insert(claims_.claimed_.end(), wanted.begin(), wanted.end());
  paths_ = std::move(wanted);
}

bool Claims::free(const std::vector<std::string>& paths) const {
  return std::none_of(claimed_.begin(), claimed_.end(), [&](const std::string& claimed) {
    return std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
      return within(path, claimed) || within(claimed, path);
    });
  });
}

}  // namespace tcmufs::ctlfs
