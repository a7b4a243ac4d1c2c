// Links: what lies elsewhere becomes a disk in place. The disk comes first, then the link: whatever is killed
// in between leaves a record without a link, which the next start drops, and a disk that nothing wants, which
// it removes.

#include <sys/stat.h>

#include <cerrno>

#include "sys/error.h"
#include "volume/link_target.h"
#include "volume/registry.h"

namespace tcmufs::volume {

namespace {

/// "/dev/sda" and "/dev/sda1" are of "/dev/sda".
bool is_part_of(const std::string& node, const std::string& device) {
  return node.starts_with(device) && node.find_first_not_of("0123456789", device.size()) == std::string::npos;
}

struct stat status_of(const Fd& file, const std::string& target) {
  struct stat st {};
  if (::fstat(file.number(), &st) != 0) throw_errno("cannot stat " + quoted(target));
  return st;
}

}  // namespace

std::shared_ptr<ctlfs::Volume> Registry::attach_in_place(const std::string& path, const std::string& target) {
  refuse_while_stopping();
  std::shared_ptr<FileVolume> volume;
  try {
    check_link_text(target);
    catalog_.check_free(path);
    const auto file = std::make_shared<Fd>();
    // What is far away may not answer.
    workers_.run("opening " + quoted(target), context_.transition_limit,
                 [this, target, file] { *file = open_unused(target); });
    volume = new_link(path, target, std::move(*file));
  } catch (const Failure& failure) {
    refused(failure.what());
    throw;
  }
  try {
    if (options_.attaches_by_itself(path)) {
      volume->attach();
      if (volume->facts().state != State::ready) throw Failure(ESHUTDOWN, "tcmufs is being unmounted");
    } else {
      volume->close_target();
    }
    volume->linked(catalog_.create_link(path, target));
  } catch (...) {
    undo_link(volume);
    throw;
  }
  return volume;
}

Fd Registry::open_unused(const std::string& target) const {
  Fd file = open_link_target(target, tcmufs_mounts());
  refuse_medium(file, target, nullptr);
  check_unused(file, target);
  return file;
}

/// Throws Failure if the volume `of`, or a new one, must not be over that.
void Registry::refuse_medium(const Fd& file, const std::string& target, const FileVolume* of) const {
  if (lies_within(file, catalog_.open_directory("")))
    throw Failure(EBUSY, quoted(target) + " lies in the store", "Copy it, or move it out of the store first");
  const std::string node = block_device(file).node;
  for (const Facts& facts : all_facts()) {
    if (!facts.device.empty() && is_part_of(node, facts.device))
      throw Failure(ELOOP, quoted(target) + " is the disk of " + quoted(facts.path));
  }
  const struct stat medium = status_of(file, target);
  const std::lock_guard lock(mutex_);
  refuse_own_image(medium, target, of);
}

// mutex_ locked.
void Registry::refuse_own_image(const struct stat& file, const std::string& target,
                                const FileVolume* of) const {
  for (const auto& [path, volume] : volumes_) {
    if (volume.get() != of && volume->is_over(file))
      throw Failure(EBUSY, quoted(target) + " is the image of " + quoted(path) + " already");
  }
}

// Found and entered under one lock: of two that want the same file one comes second.
std::shared_ptr<FileVolume> Registry::new_link(const std::string& path, const std::string& target, Fd file) {
  Record record;
  record.uuid = Uuid::random();
  record.settings = settings_of_new_volumes();
  record.target = target;
  const struct stat medium = status_of(file, target);
  std::shared_ptr<FileVolume> volume;
  {
    const std::lock_guard lock(mutex_);
    refuse_own_image(medium, target, nullptr);
    volume = std::make_shared<FileVolume>(context_, path, record, std::move(file),
                                          target_for(path, record.uuid), 0);
    volumes_[path] = volume;
    events_.record(volume->topic(), path, "created");
  }
  try {
    catalog_.save(path, record);
  } catch (...) {
    undo_link(volume);
    throw;
  }
  return volume;
}

void Registry::undo_link(const std::shared_ptr<FileVolume>& volume) noexcept {
  const Facts facts = volume->facts();
  volume->give_up();
  try {
    workers_.run("detaching " + quoted(facts.path), context_.transition_limit,
                 [volume] { volume->take_down(); });
  } catch (const std::exception& error) {
    options_.log(error.what());
  }
  catalog_.drop_record(facts.path);
  forget(facts.uuid);
  volume->removed();
  const std::lock_guard lock(mutex_);
  volumes_.erase(facts.path);
}

}  // namespace tcmufs::volume
