#include "ctlfs/tree.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "ctlfs/names.h"
#include "sys/error.h"

namespace tcmufs::ctlfs {

namespace {

timespec now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

struct stat to_stat(u64 inode, mode_t type, nlink_t links, const Attributes& from) {
  struct stat to {};
  to.st_ino = inode;
  to.st_mode = type | (from.permissions & 07777U);
  to.st_nlink = links;
  to.st_uid = from.uid;
  to.st_gid = from.gid;
  to.st_size = static_cast<off_t>(from.size_bytes);
  to.st_blocks = static_cast<blkcnt_t>(from.blocks_512);
  to.st_blksize = 4096;
  to.st_atim = from.accessed;
  to.st_mtim = from.modified;
  to.st_ctim = from.changed;
  return to;
}

}  // namespace

Tree::Tree(Backend& backend) : backend_(backend), started_(now()) {
  auto root = std::make_shared<Node>();
  root->directory = true;
  root->id = next_node_++;
  nodes_.emplace(root->id, Known{root, 1});
  for (auto& entry : backend_.entries()) {
    const auto slash = entry.path.rfind('/');
    const std::string directory = slash == std::string::npos ? "" : entry.path.substr(0, slash);
    Node* parent = root.get();
    for (std::size_t from = 0; parent != nullptr && from < directory.size();) {
      const std::size_t to = std::min(directory.find('/', from), directory.size());
      parent = parent->child(directory.substr(from, to - from)).get();
      from = to + 1;
    }
    if (parent == nullptr)
      throw Failure(EIO, "the store lists " + quoted(entry.path) + " before its directory");
    add(*parent, entry.path.substr(slash + 1), std::move(entry.volume));
  }
}

void Tree::refuse(Lock& lock, int error, const std::string& sentence, const std::string& advice) {
  lock.unlock();
  const Failure failure(error, sentence, advice);
  backend_.refused(failure.what());
  throw failure;
}

Place Tree::place(Lock& lock, u64 inode) {
  const Inode number = Inode::from(inode);
  const auto at = nodes_.find(number.node);
  if (at == nodes_.end()) refuse(lock, ESTALE, "cannot find inode " + std::to_string(inode));
  return {at->second.node, number.facet, number.node};
}

Place Tree::child(const Place& directory, const std::string& name) const {
  const Node& node = *directory.node;
  const bool is_root = node.id == 0;
  if (node.removed) return {};
  if (directory.facet == Facet::self) {
    if (name == "status" && node.directory) return {directory.node, Facet::status};
    if (name == ".ctl" && is_root) return {directory.node, Facet::control};
    return {node.child(name)};
  }
  if (directory.facet == Facet::mirror && node.directory) return {node.child(name), Facet::mirror};
  if (directory.facet == Facet::control && name == "vol") return {directory.node, Facet::mirror};
  if (directory.facet == Facet::control && name == "defaults") return {directory.node, Facet::defaults};
  const ControlTable table = directory.control_table();
  const auto index = index_of(table.files, name);
  return index ? Place{directory.node, file_facet(table.first, *index)} : Place{};
}

std::optional<Tree::Entry> Tree::lookup(u64 parent, const std::string& name) {
  Lock lock(mutex_);
  const Place directory = place(lock, parent);
  if (!directory.is_directory()) refuse(lock, ENOTDIR, quoted(directory.path()) + " is not a directory");
  if (name.size() > kNameMax) {
    refuse(lock, ENAMETOOLONG, "cannot look up a name of " + std::to_string(name.size()) + " bytes",
           "It can have 255");
  }
  if (name == ".") {
    lock.unlock();
    return counted(directory);
  }
  const Place found = child(directory, name);
  lock.unlock();
  if (!found.node) return std::nullopt;
  return counted(found);
}

Tree::Entry Tree::counted(const Place& place) {
  const Entry entry{place.number(), stat_of(place)};
  const std::lock_guard lock(mutex_);
  ++nodes_.try_emplace(place.id, Known{place.node}).first->second.lookups;
  return entry;
}

void Tree::forget(u64 inode, u64 count) noexcept {
  std::shared_ptr<Node> last;  // destroyed with the mutex unlocked
  const std::lock_guard lock(mutex_);
  const u64 id = Inode::from(inode).node;
  const auto at = nodes_.find(id);
  if (at == nodes_.end()) return;
  last = at->second.node;
  at->second.lookups -= std::min(count, at->second.lookups);
  if (last->removed || (id != last->id && id != last->mirror_id)) forget_unless_looked_up(id);
}

struct stat Tree::attributes(u64 inode) {
  Lock lock(mutex_);
  const Place what = place(lock, inode);
  lock.unlock();
  return stat_of(what);
}

struct stat Tree::stat_of(const Place& place) {
  Lock lock(mutex_);
  const std::shared_ptr<Volume> volume = place.is_volume() ? place.node->volume : nullptr;
  const bool removed = place.node->removed;
  std::string path = place.node->path();
  lock.unlock();
  if (volume) {
    return to_stat(place.number(), place.is_link() ? S_IFLNK : S_IFREG, removed ? 0 : 1,
                   volume->attributes());
  }
  if (removed) throw Failure(ENOENT, quoted(path) + " has been removed");
  if (place.is_own_directory()) {
    for (;;) {
      try {
        return to_stat(place.number(), S_IFDIR, 2, backend_.directory_attributes(path));
      } catch (const Failure&) {
        lock.lock();
        const bool moved = !place.node->removed && path != place.node->path();
        path = place.node->path();
        lock.unlock();
        if (!moved) throw;
      }
    }
  }
  Attributes fixed;
  fixed.accessed = fixed.modified = fixed.changed = started_;
  const bool writable = place.is_directory() ? place.is_mirror() : place.takes_values();
  fixed.permissions = (place.is_directory() ? 0555 : 0444) | (writable ? 0200 : 0);
  return place.is_directory() ? to_stat(place.number(), S_IFDIR, 2, fixed)
                              : to_stat(place.number(), S_IFREG, 1, fixed);
}

void Tree::access(u64 inode, int mask) {
  Lock lock(mutex_);
  const Place what = place(lock, inode);
  if ((mask & W_OK) != 0 && !what.is_volume() && !what.is_own_directory() && !what.takes_values()) {
    refuse(lock, EACCES, "cannot write to " + quoted(what.path()), "it is read-only");
  }
}

struct stat Tree::change(u64 inode, const AttributeChange& change, std::optional<u64> size_bytes,
                         std::optional<u64> handle, pid_t process) {
  Lock lock(mutex_);
  const Place what = place(lock, inode);
  const std::string path = what.path();
  if (what.takes_values() && !change.permissions && !change.uid && !change.gid) {
    // Opening with O_TRUNC, truncate(1), touch(1): nothing that would be a value.
    lock.unlock();
    return stat_of(what);
  }
  if (!what.is_volume() && !what.is_own_directory()) {
    refuse(lock, EPERM, "cannot change " + quoted(path),
           what.takes_values() ? "It is root's and 0644" : "It is read-only");
  }
  if (size_bytes && !what.is_volume())
    refuse(lock, EISDIR, "cannot resize " + quoted(path) + ": a directory");
  const std::shared_ptr<Volume> volume = what.node->volume;
  if (what.is_volume() && !volume) refuse(lock, ENOENT, quoted(path) + " has been removed");
  ++what.node->changes;
  lock.unlock();
  if (change.permissions || change.uid || change.gid || change.accessed || change.modified) {
    if (volume) {
      volume->change(change);
    } else {
      backend_.change_directory(path, change);
    }
  }
  if (size_bytes) resize(what, *size_bytes, handle, process);
  return stat_of(what);
}

void Tree::resize(const Place& volume, u64 size_bytes, std::optional<u64> handle, pid_t process) {
  Node& node = *volume.node;
  Lock lock(mutex_);
  const std::shared_ptr<Volume> file = node.volume;
  lock.unlock();
  if (!file) return;
  file->resize(size_bytes, process);
  lock.lock();
  const bool closed = !handle && node.writers == 0 && !node.removed && !temporary_name(node.name);
  lock.unlock();
  if (closed && size_bytes > 0) file->attach();
}

std::shared_ptr<Node> Tree::add(Node& parent, const std::string& name, std::shared_ptr<Volume> volume) {
  auto node = std::make_shared<Node>();
  node->id = node->mirror_id = next_node_++;
  node->directory = volume == nullptr;
  node->name = name;
  node->parent = &parent;
  node->link = volume != nullptr && !volume->link_target().empty();
  node->volume = std::move(volume);
  parent.children.emplace(name, node);
  nodes_.emplace(node->id, Known{node});
  return node;
}

void Tree::forget_unless_looked_up(u64 id) {
  const auto at = nodes_.find(id);
  if (at != nodes_.end() && at->second.lookups == 0) nodes_.erase(at);
}

/// The path of `node` and of all below it has changed.
void Tree::renew_mirrors(const std::shared_ptr<Node>& node) {
  const u64 before = std::exchange(node->mirror_id, next_node_++);
  nodes_.emplace(node->mirror_id, Known{node});
  if (before != node->id) forget_unless_looked_up(before);
  for (const auto& [name, below] : node->children) renew_mirrors(below);
}

/// Takes the node out of the tree. Returns what must be destroyed with the mutex unlocked.
std::shared_ptr<Volume> Tree::detach(Node& node) {
  Node& parent = *node.parent;
  node.removed = true;
  node.parent = nullptr;
  std::shared_ptr<Volume> last;
  if (node.handles == 0) last = std::move(node.volume);
  parent.children.erase(node.name);
  forget_unless_looked_up(node.mirror_id);
  forget_unless_looked_up(node.id);
  return last;
}

}  // namespace tcmufs::ctlfs
