// Open files: reading and writing them, and when a close() makes a disk.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ctlfs/names.h"
#include "ctlfs/tree.h"
#include "sys/error.h"

namespace tcmufs::ctlfs {

namespace {

bool writes(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY;
}

}  // namespace

u64 Tree::add_handle(Handle handle) {
  const u64 number = next_handle_++;
  handles_.emplace(number, std::make_shared<Handle>(std::move(handle)));
  return number;
}

/// `changed`: the opening itself has changed the volume.
u64 Tree::add_volume_handle(const std::shared_ptr<Node>& node, int flags, pid_t process, bool changed) {
  VolumeHandle handle{node, node->volume, writes(flags), process, node->changes};
  if (changed) ++node->changes;
  const u64 number = add_handle(std::move(handle));
  ++node->handles;
  if (writes(flags)) ++node->writers;
  return number;
}

std::shared_ptr<Handle> Tree::handle(Lock& lock, u64 number) {
  const auto at = handles_.find(number);
  if (at == handles_.end()) refuse(lock, EBADF, "no file is open as handle " + std::to_string(number));
  return at->second;
}

std::shared_ptr<Handle> Tree::volume_handle(Lock& lock, u64 number, bool for_writing) {
  auto found = handle(lock, number);
  const auto* file = std::get_if<VolumeHandle>(found.get());
  if (file == nullptr || (for_writing && !file->writable)) {
    refuse(lock, EBADF, "handle " + std::to_string(number) + " is not open for writing to a volume");
  }
  return found;
}

Tree::Created Tree::create(u64 parent, const std::string& name, int flags, const Creation& creation) {
  Claims::Held claim(claims_);
  Lock lock(mutex_);
  bool made = false;
  const auto node = make_volume(claim, lock, parent, name, creation, made);
  if (!made && (flags & O_EXCL) != 0) refuse(lock, EEXIST, "cannot create " + quoted(node->path()));
  if (node->directory) refuse(lock, EISDIR, "cannot open " + quoted(node->path()) + " as a file");
  Created created;
  if (made) {
    created.handle = add_volume_handle(node, flags, creation.process, true);
    lock.unlock();
  } else {
    lock.unlock();
    created.handle = open_volume(node, flags, creation.process);
  }
  Undo undo{*this, created.handle};
  created.entry = counted({node});
  undo.handle = 0;
  return created;
}

u64 Tree::open(u64 inode, int flags, pid_t process) {
  Lock lock(mutex_);
  const Place what = place(lock, inode);
  if (what.is_directory()) refuse(lock, EISDIR, "cannot open " + quoted(what.path()) + " as a file");
  if (!what.is_volume() && !what.takes_values() && (writes(flags) || (flags & O_TRUNC) != 0)) {
    refuse(lock, EACCES, "cannot write to " + quoted(what.path()), "It is read-only");
  }
  lock.unlock();
  if (what.is_stream()) return open_stream(what);
  return what.is_volume() ? open_volume(what.node, flags, process) : open_text(what, writes(flags));
}

u64 Tree::open_volume(const std::shared_ptr<Node>& node, int flags, pid_t process) {
  const bool truncated = (flags & O_TRUNC) != 0;
  Lock lock(mutex_);
  const std::shared_ptr<Volume> volume = node->volume;
  if (!volume) refuse(lock, ENOENT, "cannot open " + quoted(node->path()) + ": it has been removed");
  if (node->link) refuse(lock, ELOOP, "cannot open the symbolic link " + quoted(node->path()));
  Undo undo{*this, add_volume_handle(node, flags, process, truncated)};
  lock.unlock();
  if (truncated) volume->resize(0, process);
  return std::exchange(undo.handle, 0);
}

std::size_t Tree::read(u64 number, u64 offset, std::span<std::byte> buffer) {
  Lock lock(mutex_);
  const auto found = handle(lock, number);
  const auto* open_text = std::get_if<TextHandle>(found.get());
  const auto text = open_text != nullptr ? open_text->text : nullptr;
  lock.unlock();
  if (const auto* file = std::get_if<VolumeHandle>(found.get())) return file->volume->read(offset, buffer);
  if (const auto* open_stream = std::get_if<StreamHandle>(found.get())) {
    const auto length = open_stream->reader->read(buffer);
    if (!length) throw Failure(EAGAIN, "nothing has happened yet");
    return *length;
  }
  if (text) {
    if (offset >= text->size()) return 0;
    const std::size_t length = std::min<std::size_t>(buffer.size(), text->size() - offset);
    std::memcpy(buffer.data(), text->data() + offset, length);
    return length;
  }
  throw Failure(EISDIR, "cannot read a directory as a file");
}

std::shared_ptr<EventRing::Reader> Tree::stream(u64 number) noexcept {
  const std::lock_guard lock(mutex_);
  const auto at = handles_.find(number);
  if (at == handles_.end()) return nullptr;
  const auto* open_stream = std::get_if<StreamHandle>(at->second.get());
  return open_stream != nullptr ? open_stream->reader : nullptr;
}

void Tree::write(u64 number, u64 offset, std::span<const std::byte> bytes, pid_t process) {
  Lock lock(mutex_);
  if (const auto text = handle(lock, number); std::holds_alternative<TextHandle>(*text)) {
    lock.unlock();
    return write_value(std::get<TextHandle>(*text), offset, bytes);
  }
  const auto found = volume_handle(lock, number, true);
  const auto& file = std::get<VolumeHandle>(*found);
  ++file.node->changes;
  lock.unlock();
  file.volume->write(offset, bytes, process);
}

void Tree::allocate(u64 number, int mode, u64 offset, u64 length, pid_t process) {
  Lock lock(mutex_);
  if (std::holds_alternative<TextHandle>(*handle(lock, number))) {
    refuse(lock, EOPNOTSUPP, "a control file takes up no room");
  }
  const auto found = volume_handle(lock, number, true);
  const auto& file = std::get<VolumeHandle>(*found);
  ++file.node->changes;
  lock.unlock();
  file.volume->allocate(mode, offset, length, process);
}

void Tree::sync(u64 number) {
  Lock lock(mutex_);
  const auto found = handle(lock, number);
  lock.unlock();
  if (const auto* file = std::get_if<VolumeHandle>(found.get())) file->volume->sync();
}

u64 Tree::seek(u64 number, u64 offset, int whence) {
  Lock lock(mutex_);
  const auto found = handle(lock, number);
  const auto* open_text = std::get_if<TextHandle>(found.get());
  const auto text = open_text != nullptr ? open_text->text : nullptr;
  lock.unlock();
  if (const auto* file = std::get_if<VolumeHandle>(found.get())) return file->volume->seek(offset, whence);
  // What is made of text has no holes but its end.
  if (!text || offset >= text->size()) throw Failure(ENXIO, "there is nothing beyond the end");
  return whence == SEEK_DATA ? offset : text->size();
}

u64 Tree::copy(u64 from, u64 from_offset, u64 to, u64 to_offset, u64 length, pid_t process) {
  Lock lock(mutex_);
  const auto source = handle(lock, from);
  const auto* source_file = std::get_if<VolumeHandle>(source.get());
  if (source_file == nullptr || std::holds_alternative<TextHandle>(*handle(lock, to)))
    throw Failure(EOPNOTSUPP, "only volumes are copied as a whole");
  const auto target = volume_handle(lock, to, true);
  const auto& file = std::get<VolumeHandle>(*target);
  ++file.node->changes;
  lock.unlock();
  return file.volume->copy_from(*source_file->volume, from_offset, to_offset, length, process);
}

void Tree::flush(u64 number, pid_t process) {
  Lock lock(mutex_);
  const auto found = handle(lock, number);
  auto* file = std::get_if<VolumeHandle>(found.get());
  if (file == nullptr || !file->writable || file->opener != process) return;
  const Node& node = *file->node;
  const unsigned own = file->closing ? 0 : 1;
  // Unchanged: the FLUSH of a dup2() before the first write, after which writes would find a disk.
  if (node.writers > own || node.removed || temporary_name(node.name) ||
      node.changes == file->changes_at_open) {
    return;
  }
  file->changes_at_attach = node.changes;
  lock.unlock();
  file->volume->attach();
}

void Tree::close_writer(VolumeHandle& file) {
  if (file.writable && !file.closing) --file.node->writers;
  file.closing = true;
}

void Tree::closing(u64 number) noexcept {
  const std::lock_guard lock(mutex_);
  const auto at = handles_.find(number);
  if (at == handles_.end()) return;
  if (auto* file = std::get_if<VolumeHandle>(at->second.get())) close_writer(*file);
}

void Tree::release(u64 number) noexcept {
  drop(number, true);
}

void Tree::drop(u64 number, bool attach) noexcept {
  std::shared_ptr<Handle> found;  // destroyed with the mutex unlocked, as the next
  std::shared_ptr<Volume> last;
  Lock lock(mutex_);
  const auto at = handles_.find(number);
  if (at == handles_.end()) return;
  found = std::move(at->second);
  handles_.erase(at);
  auto* file = std::get_if<VolumeHandle>(found.get());
  if (file == nullptr) return;
  Node& node = *file->node;
  close_writer(*file);
  if (--node.handles == 0 && node.removed) last = std::move(node.volume);
  const bool tried = file->changes_at_attach == node.changes;
  const bool unfinished =
      file->writable && node.writers == 0 && !node.removed && !temporary_name(node.name) && !tried;
  lock.unlock();
  if (attach && unfinished) file->volume->attach_later();
}

}  // namespace tcmufs::ctlfs
