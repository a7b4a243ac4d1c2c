// Making, removing and moving names.

#include <fcntl.h>
#include <stdio.h>

#include <cerrno>

#include "ctlfs/names.h"
#include "ctlfs/tree.h"
#include "sys/error.h"

namespace tcmufs::ctlfs {

/// The directory in which `name` is to be made, removed or moved ("cannot VERB 'NAME'"); refused where users
/// make nothing, and for names that are ours. `or_mirror`: or in .ctl/vol, where volumes have directories.
Place Tree::own_directory(Lock& lock, u64 inode, const std::string& name, const char* verb, bool or_mirror) {
  Place directory = place(lock, inode);
  if (name.size() > kNameMax) {
    refuse(lock, ENAMETOOLONG,
           std::string("cannot ") + verb + " a name of " + std::to_string(name.size()) + " bytes",
           "It can have 255");
  }
  const std::string what = std::string("cannot ") + verb + " " + quoted(joined(directory.path(), name));
  if (!directory.is_directory()) refuse(lock, ENOTDIR, what + ": " + quoted(directory.path()) + " is a file");
  if (!directory.is_own_directory() && !(or_mirror && directory.is_mirror()))
    refuse(lock, EPERM, what, "what is below .ctl comes and goes with the volumes");
  if (directory.node->removed) refuse(lock, ENOENT, what + ": its directory has been removed");
  if (reserved_name(name)) refuse(lock, EPERM, what, "the names .ctl, .tcmufs and status are reserved");
  return directory;
}

std::shared_ptr<Node> Tree::existing(Lock& lock, const Place& directory, const std::string& name,
                                     const char* verb) {
  auto node = directory.node->child(name);
  if (!node) {
    refuse(lock, ENOENT, std::string("cannot ") + verb + " " + quoted(joined(directory.path(), name)));
  }
  return node;
}

/// The node of that name, which the backend is asked for if there is none (`made`). Locked again when it
/// returns.
std::shared_ptr<Node> Tree::make_volume(Claims::Held& claim, Lock& lock, u64 parent, const std::string& name,
                                        const Creation& creation, bool& made) {
  Place directory;
  std::string path;
  claim.take(lock, [&] {
    directory = own_directory(lock, parent, name, "create");
    path = joined(directory.path(), name);
    return std::vector{path};
  });
  if (auto node = directory.node->child(name)) return node;
  lock.unlock();
  auto volume = backend_.create(path, creation);
  lock.lock();
  made = true;
  auto node = add(*directory.node, name, std::move(volume));
  node->changes = 1;
  return node;
}

Tree::Entry Tree::make_node(u64 parent, const std::string& name, mode_t type, const Creation& creation) {
  Claims::Held claim(claims_);
  Lock lock(mutex_);
  if (type != 0 && type != S_IFREG) {
    refuse(lock, EPERM, "cannot make the special file " + quoted(name),
           "only regular files and directories exist here");
  }
  bool made = false;
  const auto node = make_volume(claim, lock, parent, name, creation, made);
  if (!made) refuse(lock, EEXIST, "cannot create " + quoted(node->path()));
  lock.unlock();
  return counted({node});
}

Tree::Entry Tree::make_directory(u64 parent, const std::string& name, const Creation& creation) {
  Claims::Held claim(claims_);
  Lock lock(mutex_);
  Place directory;
  std::string path;
  claim.take(lock, [&] {
    directory = own_directory(lock, parent, name, "make the directory", true);
    path = joined(directory.node->path(), name);
    return std::vector{path};
  });
  if (directory.node->child(name)) refuse(lock, EEXIST, "cannot make the directory " + quoted(path));
  lock.unlock();
  std::shared_ptr<Volume> volume;
  if (directory.is_mirror()) {
    Creation draft = creation;
    draft.permissions &= 0666;  // of a file, and not of the directory that was asked for
    draft.draft = true;
    volume = backend_.create(path, draft);
  } else {
    backend_.make_directory(path, creation);
  }
  lock.lock();
  const Place made{add(*directory.node, name, std::move(volume)), directory.facet};
  lock.unlock();
  return counted(made);
}

void Tree::unlink(u64 parent, const std::string& name) {
  std::shared_ptr<Node> node;
  std::shared_ptr<Volume> last;
  std::string path;
  Claims::Held claim(claims_);
  Lock lock(mutex_);
  claim.take(lock, [&] {
    node = existing(lock, own_directory(lock, parent, name, "remove"), name, "remove");
    path = node->path();
    return std::vector{path};
  });
  if (node->directory) refuse(lock, EISDIR, "cannot remove " + quoted(path) + " as a file", "use rmdir");
  lock.unlock();
  backend_.remove(path);
  lock.lock();
  last = detach(*node);
}

void Tree::remove_directory(u64 parent, const std::string& name) {
  std::shared_ptr<Node> node;
  std::shared_ptr<Volume> last;
  std::string path;
  bool mirrored = false;
  Claims::Held claim(claims_);
  Lock lock(mutex_);
  claim.take(lock, [&] {
    const Place directory = own_directory(lock, parent, name, "remove", true);
    mirrored = directory.is_mirror();
    node = existing(lock, directory, name, "remove");
    path = node->path();
    return std::vector{path};
  });
  if (mirrored) {
    if (node->directory) {
      refuse(lock, EPERM, "cannot remove " + quoted(joined(".ctl/vol", path)) + ", it is no volume",
             "remove the directory " + quoted(path) + " of the mount");
    }
    lock.unlock();
    backend_.remove(path);
    lock.lock();
    last = detach(*node);
    return;
  }
  if (!node->directory) refuse(lock, ENOTDIR, "cannot remove " + quoted(path) + " as a directory", "use rm");
  if (!node->children.empty()) {
    refuse(lock, ENOTEMPTY, "cannot remove the directory " + quoted(path), "remove its volumes first");
  }
  lock.unlock();
  backend_.remove_directory(path);
  lock.lock();
  detach(*node);
}

void Tree::check_replaced(Lock& lock, const Node& source, const std::shared_ptr<Node>& target,
                          unsigned flags) {
  const std::string what = "cannot rename " + quoted(source.path()) + " to " + quoted(target->path());
  if ((flags & RENAME_NOREPLACE) != 0) refuse(lock, EEXIST, what);
  if (target->directory && !source.directory) refuse(lock, EISDIR, what);
  if (!target->directory && source.directory) refuse(lock, ENOTDIR, what);
  if (!target->children.empty()) refuse(lock, ENOTEMPTY, what, "remove the volumes in it first");
}

void Tree::rename(u64 parent, const std::string& name, u64 new_parent, const std::string& new_name,
                  unsigned flags) {
  const std::shared_ptr<Volume> finished = move(parent, name, new_parent, new_name, flags);
  if (!finished) return;
  try {
    finished->attach();
  } catch (const Failure&) {  // the rename is done; the volume keeps the sentence as its last_error
  }
}

std::shared_ptr<Volume> Tree::move(u64 parent, const std::string& name, u64 new_parent,
                                   const std::string& new_name, unsigned flags) {
  std::shared_ptr<Node> node;
  std::shared_ptr<Volume> replaced;
  Place directory;
  std::string from;
  std::string to;
  Claims::Held claim(claims_);
  Lock lock(mutex_);
  if ((flags & ~unsigned{RENAME_NOREPLACE}) != 0)
    refuse(lock, EINVAL, "cannot exchange " + quoted(name) + " with another name");
  claim.take(lock, [&] {
    node = existing(lock, own_directory(lock, parent, name, "rename"), name, "rename");
    directory = own_directory(lock, new_parent, new_name, "rename to");
    from = node->path();
    to = joined(directory.path(), new_name);
    if (to != from && within(to, from)) refuse(lock, EINVAL, "cannot move " + quoted(from) + " into itself");
    return std::vector{from, to};
  });
  const auto target = directory.node->child(new_name);
  if (target == node && flags == 0) return nullptr;
  if (target) check_replaced(lock, *node, target, flags);
  lock.unlock();
  if (target && target->directory) {
    backend_.remove_directory(to);
    lock.lock();
    detach(*target);
    lock.unlock();
  }
  backend_.rename(from, to);
  lock.lock();
  if (target && !target->removed) replaced = detach(*target);
  node->parent->children.erase(name);
  node->parent = directory.node.get();
  node->name = new_name;
  directory.node->children.emplace(new_name, node);
  renew_mirrors(node);
  const bool finished = temporary_name(name) && !temporary_name(new_name) && node->writers == 0;
  if (!finished) return nullptr;
  // A release that is still to come has nothing to attach any more.
  for (const auto& [number, handle] : handles_) {
    auto* const file = std::get_if<VolumeHandle>(handle.get());
    if (file != nullptr && file->node == node) file->changes_at_attach = node->changes;
  }
  return node->volume;
}

void Tree::link(u64 inode, u64 new_parent, const std::string& new_name) {
  Lock lock(mutex_);
  const std::string to = joined(place(lock, new_parent).path(), new_name);
  const std::string from = place(lock, inode).path();
  refuse(lock, EPERM, "cannot link " + quoted(from) + " as " + quoted(to), "a disk has one name");
}

Tree::Entry Tree::symlink(u64 parent, const std::string& name, const std::string& target,
                          const Creation& creation) {
  Claims::Held claim(claims_);
  Lock lock(mutex_);
  Place directory;
  std::string path;
  claim.take(lock, [&] {
    directory = own_directory(lock, parent, name, "make the link");
    path = joined(directory.path(), name);
    return std::vector{path};
  });
  if (directory.node->child(name)) refuse(lock, EEXIST, "cannot make the link " + quoted(path));
  if (creation.uid != 0) {
    refuse(lock, EPERM, "cannot attach " + quoted(target) + " as " + quoted(path),
           "a symbolic link attaches what it leads to, which is for root");
  }
  lock.unlock();
  auto volume = backend_.attach_in_place(path, target);
  lock.lock();
  const auto node = add(*directory.node, name, std::move(volume));
  lock.unlock();
  return counted({node});
}

std::string Tree::readlink(u64 inode) {
  Lock lock(mutex_);
  const Place what = place(lock, inode);
  const std::shared_ptr<Volume> volume = what.is_link() ? what.node->volume : nullptr;
  if (!volume) refuse(lock, EINVAL, quoted(what.path()) + " is no symbolic link");
  return volume->link_target();
}

}  // namespace tcmufs::ctlfs
