// What directories list, and what status, control files and streams say.

#include <cerrno>

#include "ctlfs/tree.h"
#include "sys/error.h"

namespace tcmufs::ctlfs {

u64 Tree::open_directory(u64 inode) {
  Lock lock(mutex_);
  const Place directory = place(lock, inode);
  if (!directory.is_directory())
    refuse(lock, ENOTDIR, "cannot list " + quoted(directory.path()) + ": it is a file");
  if (directory.node->removed) {
    refuse(lock, ENOENT, "cannot list " + quoted(directory.path()) + ": it has been removed");
  }
  return add_handle(DirectoryHandle{names_in(directory)});
}

std::shared_ptr<const std::vector<Listed>> Tree::list(u64 number) {
  Lock lock(mutex_);
  const auto found = handle(lock, number);
  const auto* directory = std::get_if<DirectoryHandle>(found.get());
  if (directory == nullptr) refuse(lock, ENOTDIR, "handle " + std::to_string(number) + " is not a directory");
  return {found, &directory->names};
}

/// `.ctl` is never among them, and `status` only in the root, so that programs that copy or remove a
/// directory meet nothing but volumes.
std::vector<Listed> Tree::names_in(const Place& directory) const {
  const Node& node = *directory.node;
  const Node& above = node.parent != nullptr ? *node.parent : node;
  std::vector<Listed> names{{".", directory.number(), S_IFDIR}, {"..", Inode{above.id}.number(), S_IFDIR}};
  const auto add = [&](const std::string& name) {
    const Place place = child(directory, name);
    const mode_t type = place.is_directory() ? S_IFDIR : place.is_link() ? S_IFLNK : S_IFREG;
    names.push_back({name, place.number(), type});
  };
  const bool of_volume = directory.facet == Facet::mirror && !node.directory;
  if (directory.facet == Facet::control || directory.facet == Facet::defaults || of_volume) {
    for (const auto& file : directory.control_table().files) add(std::string(file.name));
    if (directory.facet == Facet::control) {
      add("defaults");
      add("vol");
    }
  } else {
    if (directory.is_own_directory() && node.id == 0) add("status");
    for (const auto& [name, below] : node.children) add(name);
  }
  return names;
}

u64 Tree::open_text(const Place& place, bool for_writing) {
  TextHandle text;
  text.text = std::make_shared<const std::string>(rendered(place));
  if (for_writing) text.written = place;
  const std::lock_guard lock(mutex_);
  return add_handle(std::move(text));
}

u64 Tree::open_stream(const Place& place) {
  Lock lock(mutex_);
  const Node& node = *place.node;
  if (node.removed)
    refuse(lock, ENOENT, "cannot read " + quoted(place.path()) + ": its volume has been removed");
  const std::shared_ptr<Volume> volume = node.volume;
  lock.unlock();
  StreamHandle stream{backend_.events().reader(volume ? volume->topic() : nullptr)};
  lock.lock();
  return add_handle(std::move(stream));
}

std::string Tree::rendered(const Place& place) {
  Lock lock(mutex_);
  const Node& node = *place.node;
  if (node.removed)
    refuse(lock, ENOENT, "cannot read " + quoted(place.path()) + ": its volume has been removed");
  const std::string path = node.path();
  const std::shared_ptr<Volume> volume = node.volume;
  lock.unlock();
  if (place.facet == Facet::status) return backend_.status_table(path);
  return volume ? volume->control(place.control_name()) : backend_.control(place.control_name());
}

}  // namespace tcmufs::ctlfs
