#include "volume/defaults.h"

namespace tcmufs::volume {

namespace {

const std::string whose = "new volumes";

}  // namespace

Defaults::Defaults(Catalog& catalog, const SettingValues& of_mount) : catalog_(catalog) {
  try {
    stored_ = catalog_.load_defaults();
  } catch (const Failure& failure) {
    problem_ = failure;
  }
  current_ = with_settings(stored_, of_mount, whose);
}

Settings Defaults::current() const {
  const std::lock_guard lock(mutex_);
  if (problem_) throw Failure(*problem_);
  return current_;
}

void Defaults::set(const std::string& name, const std::string& value) {
  const std::lock_guard one_at_a_time(changing_);
  std::unique_lock lock(mutex_);
  const Settings current = with_setting(current_, name, value, whose);
  const Settings stored = with_setting_of(stored_, current, name);
  lock.unlock();
  catalog_.save_defaults(stored);
  lock.lock();
  stored_ = stored;
  current_ = current;
  problem_.reset();
}

}  // namespace tcmufs::volume
