#include "volume/registry.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sys/error.h"
#include "volume/features.h"
#include "volume/targets.h"

namespace tcmufs::volume {

namespace {

constexpr std::string_view defaults_directory = "defaults/";

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

Catalog::Ownership ownership_of(const ctlfs::Creation& creation) {
  return {creation.permissions, creation.uid, creation.gid};
}

ctlfs::Attributes attributes_of(const Fd& directory) {
  struct stat st {};
  if (::fstat(directory.number(), &st) != 0) throw_errno("cannot stat a directory of the store");
  ctlfs::Attributes result;
  result.permissions = st.st_mode & 07777;
  result.uid = st.st_uid;
  result.gid = st.st_gid;
  result.accessed = st.st_atim;
  result.modified = st.st_mtim;
  result.changed = st.st_ctim;
  return result;
}

}  // namespace

Registry::Registry(Kernel kernel, Catalog& catalog, const Options& options)
    : kernel_(std::move(kernel)),
      catalog_(catalog),
      options_(options),
      defaults_(catalog, options.defaults),
      features_(features_text(find_features(catalog.open_directory("").number()))),
      context_{.catalog = catalog,
               .workers = workers_,
               .make_disk = kernel_.make_disk,
               .holders_of = kernel_.holders_of,
               .left_in_kernel =
                   [this](const Uuid& uuid) {
                     const auto left = kernel_.leftovers();
                     return std::find(left.begin(), left.end(), uuid) != left.end();
                   },
               .refuse_medium = [this](const Fd& file,
                                       const FileVolume& of) { refuse_medium(file, of.link_target(), &of); },
               .link_root = options.link_root,
               .read_only = options.read_only,
               .log = options.log,
               .refused = [this](const std::string& sentence) { keep_last_error(sentence); },
               .events = events_} {
  events_.record(nullptr, "", "started");
  load();
}

void Registry::load() {
  std::vector<std::string> skipped;
  const auto entries = catalog_.load(skipped, [this] { return defaults_.current(); });
  for (const std::string& sentence : skipped) options_.log(sentence);
  const std::lock_guard lock(mutex_);
  for (const Catalog::Entry& entry : entries) {
    if (!entry.problem.empty()) {
      options_.log(entry.problem);
      all_known_ = false;
    }
    if (entry.left_out) continue;
    if (entry.directory) {
      directories_[entry.path] = entry.record.uuid;
      continue;
    }
    try {
      volumes_[entry.path] = loaded(entry);
    } catch (const Failure& failure) {
      options_.log(std::string(failure.what()) + "; it is left out");
      all_known_ = false;
    }
  }
}

// mutex_ locked.
std::shared_ptr<FileVolume> Registry::loaded(const Catalog::Entry& entry) {
  const bool is_link = entry.problem.empty() && !entry.record.target.empty();
  Fd image = is_link ? FileVolume::no_image() : catalog_.open_image(entry.path);
  if (!entry.problem.empty())
    return std::make_shared<FileVolume>(context_, entry.path, std::move(image), entry.problem);
  auto volume = std::make_shared<FileVolume>(context_, entry.path, entry.record, std::move(image),
                                             target_for(entry.path, entry.record.uuid), 0);
  if (is_link) volume->linked(catalog_.open_link(entry.path));
  return volume;
}

// Called with mutex_ held, or before other threads know this.
std::string Registry::target_for(const std::string& path, const Uuid& uuid) const {
  const auto directory = directories_.find(parent_of(path));
  return target_wwn(directory == directories_.end() ? uuid : directory->second);
}

std::shared_ptr<FileVolume> Registry::volume_at(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = volumes_.find(path);
  if (found == volumes_.end()) throw Failure(ENOENT, "there is no volume " + quoted(path));
  return found->second;
}

Registry::Volumes Registry::all_volumes() const {
  const std::lock_guard lock(mutex_);
  Volumes result;
  for (const auto& [path, volume] : volumes_) result.push_back(volume);
  return result;
}

std::vector<Facts> Registry::all_facts() const {
  std::vector<Facts> result;
  for (const auto& volume : all_volumes()) result.push_back(volume->facts());
  return result;
}

Service Registry::service() const {
  return {options_.version, ::getpid(), catalog_.path(), options_.mount_point};
}

void Registry::refuse_while_stopping() const {
  const std::lock_guard lock(mutex_);
  if (stopping_) throw Failure(ESHUTDOWN, "tcmufs is being unmounted");
}

std::vector<Registry::Entry> Registry::entries() {
  std::vector<Entry> result;
  const std::lock_guard lock(mutex_);
  for (const auto& [path, uuid] : directories_) result.push_back({path, nullptr});
  for (const auto& [path, volume] : volumes_) result.push_back({path, volume});
  return result;
}

template <typename Work>
auto Registry::telling(Work work) {
  try {
    return work();
  } catch (const Failure& failure) {
    refused(failure.what());
    throw;
  }
}

std::shared_ptr<ctlfs::Volume> Registry::create(const std::string& path, const ctlfs::Creation& creation) {
  refuse_while_stopping();
  Record record;
  record.uuid = Uuid::random();
  record.settings = settings_of_new_volumes();
  record.draft = creation.draft;
  Fd image = telling([&] { return catalog_.create_image(path, record, ownership_of(creation)); });
  const std::lock_guard lock(mutex_);
  auto volume = std::make_shared<FileVolume>(context_, path, record, std::move(image),
                                             target_for(path, record.uuid), creation.process);
  volumes_[path] = volume;
  events_.record(volume->topic(), path, "created");
  if (creation.draft) events_.record(volume->topic(), path, std::string(state_name(State::draft)));
  return volume;
}

Settings Registry::settings_of_new_volumes() {
  return telling([this] { return defaults_.current(); });
}

void Registry::make_directory(const std::string& path, const ctlfs::Creation& creation) {
  refuse_while_stopping();
  Record record;
  record.uuid = Uuid::random();
  telling([&] { catalog_.create_directory(path, record, ownership_of(creation)); });
  const std::lock_guard lock(mutex_);
  directories_[path] = record.uuid;
}

void Registry::remove(const std::string& path) {
  const auto volume = volume_at(path);
  volume->retire();
  try {
    telling([&] { catalog_.remove_image(path); });
  } catch (...) {
    volume->stay();
    throw;
  }
  forget(volume->facts().uuid);
  volume->removed();
  const std::lock_guard lock(mutex_);
  volumes_.erase(path);
}

// The volume is gone already: what is left of it in the kernel is no reason to say that it is not.
void Registry::forget(const Uuid& uuid) noexcept {
  try {
    kernel_.forget(uuid);
  } catch (const std::exception& error) {
    options_.log(error.what());
  }
}

void Registry::remove_directory(const std::string& path) {
  telling([&] { catalog_.remove_directory(path); });
  const std::lock_guard lock(mutex_);
  directories_.erase(path);
}

void Registry::rename(const std::string& from, const std::string& to) {
  bool is_directory = false;
  bool replaces_directory = false;
  {
    const std::lock_guard lock(mutex_);
    is_directory = directories_.contains(from);
    replaces_directory = directories_.contains(to);
  }
  if (!is_directory) return rename_volume(from, to);
  if (replaces_directory) remove_directory(to);
  rename_directory(from, to);
}

// What is replaced loses its disk first, and its image only in the instant in which the other takes its name.
void Registry::rename_volume(const std::string& from, const std::string& to) {
  const auto volume = volume_at(from);
  std::shared_ptr<FileVolume> replaced;
  std::string target;
  {
    const std::lock_guard lock(mutex_);
    target = target_for(to, volume->facts().uuid);
    if (const auto found = volumes_.find(to); found != volumes_.end()) replaced = found->second;
  }
  if (replaced) replaced->retire();
  try {
    // By value: it may outlive this call, if the volume takes too long.
    volume->move(to, target,
                 [this, from, to, replaces = replaced != nullptr] { catalog_.rename(from, to, replaces); });
  } catch (...) {
    if (replaced) replaced->stay();
    throw;
  }
  if (replaced) {
    forget(replaced->facts().uuid);
    replaced->removed();
  }
  const std::lock_guard lock(mutex_);
  volumes_.erase(from);
  volumes_[to] = volume;
}

void Registry::rename_directory(const std::string& from, const std::string& to) {
  telling([&] { catalog_.rename(from, to); });
  const std::string below = from + "/";
  std::vector<std::shared_ptr<FileVolume>> moved;
  {
    const std::lock_guard lock(mutex_);
    const auto renamed = [&](const std::string& path) { return to + path.substr(from.size()); };
    std::map<std::string, Uuid> directories;
    for (const auto& [path, uuid] : directories_) {
      directories[path == from || path.starts_with(below) ? renamed(path) : path] = uuid;
    }
    directories_ = std::move(directories);
    std::map<std::string, std::shared_ptr<FileVolume>> volumes;
    for (const auto& [path, volume] : volumes_) {
      if (path.starts_with(below)) moved.push_back(volume);
      volumes[path.starts_with(below) ? renamed(path) : path] = volume;
    }
    volumes_ = std::move(volumes);
  }
  for (const auto& volume : moved) {
    const Facts facts = volume->facts();
    const std::string path = to + facts.path.substr(from.size());
    std::string target;
    {
      const std::lock_guard lock(mutex_);
      target = target_for(path, facts.uuid);
    }
    volume->move(path, target, [] {});
  }
}

ctlfs::Attributes Registry::directory_attributes(const std::string& path) {
  return attributes_of(catalog_.open_directory(path));
}

void Registry::change_directory(const std::string& path, const ctlfs::AttributeChange& change) {
  const Fd directory = catalog_.open_directory(path);
  const std::string shown = "the directory " + quoted(path);
  const uid_t uid = change.uid.value_or(static_cast<uid_t>(-1));
  const gid_t gid = change.gid.value_or(static_cast<gid_t>(-1));
  if ((change.uid || change.gid) && ::fchown(directory.number(), uid, gid) != 0) {
    throw_errno("cannot change the owner of " + shown);
  }
  if (change.permissions && ::fchmod(directory.number(), *change.permissions & 01777) != 0) {
    throw_errno("cannot change the mode of " + shown);
  }
  if (change.accessed || change.modified) {
    constexpr timespec keep = {0, UTIME_OMIT};
    const timespec times[2] = {change.accessed.value_or(keep), change.modified.value_or(keep)};
    if (::futimens(directory.number(), times) != 0) throw_errno("cannot change the times of " + shown);
  }
}

struct statvfs Registry::space() {
  struct statvfs result {};
  if (::fstatvfs(catalog_.open_directory("").number(), &result) != 0)
    throw_errno("cannot tell the store's free space");
  return result;
}

std::string Registry::status_table(const std::string& directory) {
  return volume::status_table(all_facts(), directory);
}

std::string Registry::control(const std::string& file) {
  if (file == "status") return status_table("");
  if (file == "status.json") return status_json(service(), all_facts());
  if (file == "metrics") {
    std::vector<VolumeMetrics> metrics;
    for (const auto& volume : all_volumes()) metrics.push_back(volume->metrics());
    return metrics_text(service(), metrics);
  }
  if (file == "version") return options_.version + "\n";
  if (file == "features") return features_;
  if (file == "error_log") return events_.errors();
  if (file == "ctl") return verbs_text();
  if (file == "doctor") return kernel_.doctor(catalog_.path());
  if (file == "last_error") {
    const std::lock_guard lock(mutex_);
    return last_error_.empty() ? "" : last_error_ + "\n";
  }
  if (file.starts_with(defaults_directory)) {
    return setting_text(settings_of_new_volumes(), file.substr(defaults_directory.size())) + "\n";
  }
  throw Failure(ENOENT, "no control file " + quoted(file));
}

void Registry::set_control(const std::string& file, const std::string& value) {
  telling([&] {
    if (file == "ctl") return carry_out(verb_of(value, ".ctl/ctl"));
    if (!file.starts_with(defaults_directory)) throw Failure(ENOENT, "no control file " + quoted(file));
    defaults_.set(file.substr(defaults_directory.size()), value);
    events_.record(nullptr, "", "set", file + " " + value);
  });
}

void Registry::refused(const std::string& sentence) noexcept {
  keep_last_error(sentence);
  events_.record(nullptr, "", "refused", sentence);
}

void Registry::keep_last_error(const std::string& sentence) noexcept {
  const std::lock_guard lock(mutex_);
  last_error_ = sentence;
}

bool Registry::look_for_holders() {
  bool used = false;
  for (const auto& volume : all_volumes()) used = volume->look_for_holders() || used;
  return used;
}

}  // namespace tcmufs::volume
