#include "volume/catalog.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <memory>

#include "sys/deadline.h"
#include "sys/error.h"
#include "sys/text_file.h"
#include "volume/link_target.h"

namespace tcmufs::volume {

namespace {

const std::string ours = ".tcmufs";
const std::string records = ours + "/records";
const std::string new_file = ours + "/new";
const std::string rename_file = ours + "/rename";
const std::string defaults_file = ours + "/defaults";
// An image is data: no set-user-id bit ever reaches the store.
constexpr mode_t access_bits = 0777;
constexpr auto dying_process_grace = std::chrono::seconds(10);

// An image's record; for a directory the directory that holds its records.
std::string record_of(const std::string& path) {
  return records + "/" + path;
}
std::string record_of_directory(const std::string& path) {
  return record_of(path) + "/" + ours;
}
std::string below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

bool is_reserved(const std::string& name) {
  return name == ours || name == ".ctl" || name == "status";
}

std::vector<std::string> names_in(const Fd& directory, const std::string& shown) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(::dup(directory.number())), ::closedir);
  if (!stream) throw_errno("cannot read the directory " + quoted(shown));
  std::vector<std::string> names;
  while (const dirent* entry =
             ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of its own
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

struct stat status_of(const Fd& file, const std::string& shown) {
  struct stat st {};
  if (::fstat(file.number(), &st) != 0) throw_errno("cannot stat " + quoted(shown));
  return st;
}

void give(const Fd& file, const Catalog::Ownership& ownership, const std::string& shown) {
  if (::fchown(file.number(), ownership.uid, ownership.gid) != 0 && ::geteuid() == 0) {
    throw_errno("cannot change the owner of " + quoted(shown));
  }
  if (::fchmod(file.number(), ownership.permissions & access_bits) != 0)
    throw_errno("cannot change the mode of " + quoted(shown));
}

// A process that was killed holds its locks until its last I/O is done: worth waiting for. A living one is
// not.
bool is_alive(const std::string& pid) {
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string::npos) return false;
  try {
    const std::string stat = read_text("/proc/" + pid + "/stat");
    const char state = stat.at(stat.rfind(')') + 2);
    return state != 'Z' && state != 'X';
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

Catalog::Catalog(const std::string& path) : directory_(path) {
  if (!directory_.exists(ours)) directory_.make_directory(ours, 0700);
  if (!directory_.exists(records)) directory_.make_directory(records, 0700);
  lock_store();
  load_uuid();
  spare_ = open_file("/dev/null", O_RDONLY);
}

void Catalog::lock_store() {
  lock_ = directory_.open(ours + "/lock", O_RDWR | O_CREAT, 0600);
  const std::string shown = directory_.full(ours + "/lock");
  const auto deadline = Deadline::after(dying_process_grace);
  std::string holder;
  const bool locked = poll_until(deadline, [&] {
    if (::flock(lock_.number(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) throw_errno("cannot lock " + quoted(shown));
    holder = read_line(shown);
    if (is_alive(holder))
      throw Failure(EBUSY, "the store " + quoted(path()) + " is served by process " + holder + " already",
                    "To take it over: tcmufs --replace");
    return false;
  });
  if (!locked) throw Failure(EBUSY, "the store " + quoted(path()) + " is locked (" + quoted(shown) + ")");
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock_.number(), 0) != 0 || ::pwrite(lock_.number(), pid.data(), pid.size(), 0) < 0) {
    throw_errno("cannot write " + quoted(shown));
  }
}

void Catalog::load_uuid() {
  const std::string name = directory_.full(ours + "/uuid");
  if (!directory_.exists(ours + "/uuid")) {
    replace_file(name, directory_.full(new_file), Uuid::random().text() + "\n");
  }
  const auto uuid = Uuid::parse(read_line(name));
  if (!uuid)
    throw Failure(EBADMSG, "the identity of the store in " + quoted(name) + " is no uuid",
                  "Restore the file");
  uuid_ = *uuid;
}

std::vector<Catalog::Entry> Catalog::load(std::vector<std::string>& skipped,
                                          const std::function<Settings()>& new_volumes) {
  const std::lock_guard lock(mutex_);
  finish_rename();
  std::vector<Entry> entries;
  load_directory("", entries, skipped, new_volumes);
  drop_stray_records("");
  return entries;
}

void Catalog::load_directory(const std::string& path, std::vector<Entry>& entries,
                             std::vector<std::string>& skipped,
                             const std::function<Settings()>& new_volumes) {
  const Fd directory = directory_.open(path, O_RDONLY | O_DIRECTORY);
  for (const std::string& name : names_in(directory, directory_.full(path))) {
    if (path.empty() && name == ours) continue;
    Entry entry;
    entry.path = below(path, name);
    const std::string shown = directory_.full(entry.path);
    if (is_reserved(name)) {
      skipped.push_back(quoted(shown) + " is left out: its name is reserved. Rename it to use it");
      continue;
    }
    struct stat st {};
    if (::fstatat(directory.number(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISLNK(st.st_mode)) {
      const std::string problem = load_link(entry, directory, name, st.st_uid);
      if (!problem.empty()) entry.problem = quoted(shown) + " is left out: " + problem;
      entry.left_out = !problem.empty();
      if (entry.left_out && !directory_.exists(record_of(entry.path))) {
        skipped.push_back(entry.problem);
      } else {
        entries.push_back(entry);
      }
      continue;
    }
    entry.directory = S_ISDIR(st.st_mode);
    if (!entry.directory && !S_ISREG(st.st_mode)) {
      skipped.push_back(quoted(shown) + " is left out: it is neither a regular file nor a directory");
      continue;
    }
    load_record(entry, new_volumes);
    if (!entry.record.target.empty() && entry.problem.empty())
      entry.problem =
          quoted(shown) + " was a link to " + tcmufs::quoted(entry.record.target) + " and is none any more";
    entries.push_back(entry);
    if (entry.directory) load_directory(entry.path, entries, skipped, new_volumes);
  }
}

/// Returns why it is no volume. A link is text: what it leads to is looked at by whoever attaches it.
std::string Catalog::load_link(Entry& entry, const Fd& directory, const std::string& name,
                               uid_t owner) const {
  const std::string shown = directory_.full(record_of(entry.path));
  if (!directory_.exists(record_of(entry.path)))
    return "it is a symbolic link that was not made in a mount of this store";
  try {
    entry.record = Record::parse(read_text(shown), shown);
  } catch (const Failure& failure) {
    return failure.what();
  }
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlinkat(directory.number(), name.c_str(), text.data(), text.size());
  if (length < 0) return "it is a symbolic link that cannot be read";
  if (owner != ::geteuid() || entry.record.target.empty() ||
      entry.record.target != std::string_view(text.data(), static_cast<std::size_t>(length))) {
    return "it is another symbolic link than was made in a mount of this store";
  }
  return {};
}

void Catalog::load_record(Entry& entry, const std::function<Settings()>& new_volumes) {
  const std::string name = entry.directory ? record_of_directory(entry.path) : record_of(entry.path);
  const std::string shown = directory_.full(name);
  try {
    if (entry.directory && !directory_.exists(record_of(entry.path))) {
      directory_.make_directory(record_of(entry.path), 0700);
    }
    if (directory_.exists(name)) {
      entry.record = Record::parse(read_text(shown), shown);
    } else {
      if (!entry.directory) entry.record.settings = new_volumes();
      entry.record.uuid = Uuid::random();
      write_record(name, entry.record);
    }
  } catch (const Failure& failure) {
    entry.problem = failure.what();
  }
}

void Catalog::drop_stray_records(const std::string& path) {
  const std::string here = path.empty() ? records : record_of(path);
  for (const std::string& name :
       names_in(directory_.open(here, O_RDONLY | O_DIRECTORY), directory_.full(here))) {
    if (name == ours) continue;
    const std::string image = below(path, name);
    struct stat st = status_of(directory_.open(record_of(image), O_PATH), directory_.full(image));
    const bool there = directory_.exists(image);
    if (S_ISDIR(st.st_mode)) {
      drop_stray_records(image);
      if (there) continue;
      if (directory_.exists(record_of_directory(image))) directory_.unlink(record_of_directory(image));
      directory_.remove_directory(record_of(image));
    } else if (!there) {
      directory_.unlink(record_of(image));
    }
  }
}

void Catalog::finish_rename() {
  if (!directory_.exists(rename_file)) return;
  const std::string intent = read_text(directory_.full(rename_file));
  const auto middle = intent.find('\0');
  if (middle != std::string::npos && intent.back() == '\0' && middle + 1 < intent.size()) {
    const std::string from = intent.substr(0, middle);
    const std::string to = intent.substr(middle + 1, intent.size() - middle - 2);
    const bool image_moved = directory_.exists(to) && !directory_.exists(from);
    if (image_moved && directory_.exists(record_of(from))) {
      directory_.rename(record_of(from), record_of(to), true);
    }
  }
  directory_.unlink(rename_file);
  directory_.sync_parent(rename_file);
}

// What went wrong may be that there are no descriptors left, and this needs one. What cannot be taken back is
// for the next load().
void Catalog::take_back(const std::function<void()>& step) noexcept {
  spare_.reset();
  try {
    step();
  } catch (const Failure&) {
  }
  spare_ = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

Fd Catalog::create_image(const std::string& path, Record& record, const Ownership& ownership) {
  const std::lock_guard lock(mutex_);
  Fd image = directory_.open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  try {
    give(image, ownership, directory_.full(path));
    record.medium = medium_text(image);
    write_record(record_of(path), record);
    directory_.sync_parent(path);
  } catch (...) {
    take_back([&] { directory_.unlink(path); });
    throw;
  }
  return image;
}

Fd Catalog::create_link(const std::string& path, const std::string& target) {
  const std::lock_guard lock(mutex_);
  directory_.make_link(path, target);
  try {
    directory_.sync_parent(path);
    return directory_.open(path, O_PATH);
  } catch (...) {
    take_back([&] { directory_.unlink(path); });
    throw;
  }
}

Fd Catalog::open_link(const std::string& path) const {
  return directory_.open(path, O_PATH);
}

void Catalog::check_free(const std::string& path) const {
  if (directory_.exists(path)) throw Failure(EEXIST, "there is a file " + quoted(directory_.full(path)));
}

// The next load() drops it otherwise.
void Catalog::drop_record(const std::string& path) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    if (directory_.exists(record_of(path))) directory_.unlink(record_of(path));
  } catch (const Failure&) {
    return;
  }
}

void Catalog::create_directory(const std::string& path, const Record& record, const Ownership& ownership) {
  const std::lock_guard lock(mutex_);
  directory_.make_directory(path, 0700);
  try {
    give(directory_.open(path, O_RDONLY | O_DIRECTORY), ownership, directory_.full(path));
    if (!directory_.exists(record_of(path))) directory_.make_directory(record_of(path), 0700);
    write_record(record_of_directory(path), record);
    directory_.sync_parent(path);
  } catch (...) {
    take_back([&] { directory_.remove_directory(path); });
    throw;
  }
}

Fd Catalog::open_image(const std::string& path) const {
  Fd image = directory_.open(path, O_RDWR | O_NONBLOCK);
  if (!S_ISREG(status_of(image, directory_.full(path)).st_mode)) {
    throw Failure(EINVAL, quoted(directory_.full(path)) + " is no regular file");
  }
  return image;
}

Fd Catalog::open_directory(const std::string& path) const {
  return directory_.open(path, O_RDONLY | O_DIRECTORY);
}

void Catalog::remove_image(const std::string& path) {
  const std::lock_guard lock(mutex_);
  // One that somebody has taken away by hand is removed as well as it can be.
  if (directory_.exists(path)) directory_.unlink(path);
  directory_.sync_parent(path);
  if (directory_.exists(record_of(path))) directory_.unlink(record_of(path));
}

void Catalog::remove_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  directory_.remove_directory(path);
  directory_.sync_parent(path);
  if (directory_.exists(record_of_directory(path))) directory_.unlink(record_of_directory(path));
  if (directory_.exists(record_of(path))) directory_.remove_directory(record_of(path));
}

void Catalog::rename(const std::string& from, const std::string& to, bool replaces) {
  const std::lock_guard lock(mutex_);
  replace_file(directory_.full(rename_file), directory_.full(new_file), from + '\0' + to + '\0');
  try {
    directory_.rename(from, to, replaces);
  } catch (...) {
    take_back([&] { directory_.unlink(rename_file); });
    throw;
  }
  finish_rename();
}

void Catalog::save(const std::string& path, const Record& record) {
  const std::lock_guard lock(mutex_);
  write_record(record_of(path), record);
}

Settings Catalog::load_defaults() const {
  if (!directory_.exists(defaults_file)) return {};
  const std::string shown = directory_.full(defaults_file);
  return parse_defaults(read_text(shown), shown);
}

void Catalog::save_defaults(const Settings& settings) {
  const std::lock_guard lock(mutex_);
  replace_file(directory_.full(defaults_file), directory_.full(new_file), defaults_text(settings));
}

void Catalog::write_record(const std::string& record_path, const Record& record) {
  replace_file(directory_.full(record_path), directory_.full(new_file), record.text());
}

}  // namespace tcmufs::volume
