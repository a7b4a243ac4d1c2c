#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ctlfs/backend.h"
#include "ctlfs/claims.h"
#include "ctlfs/node.h"
#include "sys/integers.h"

namespace tcmufs::ctlfs {

/// The filesystem as a model: which names there are, what each request means for the volumes behind them, and
/// every errno a user can see. Requests are FUSE's, inode for inode and handle for handle, but no libfuse is
/// needed.
///
/// All members may be called from any thread. They throw Failure; what the tree itself refuses, it has told
/// to Backend::refused() before. The backend and its volumes are never called with the mutex locked, so one
/// that blocks holds up nobody but those who want the same name. `process` is always a thread-group id.
class Tree {
 public:
  struct Entry {
    u64 inode = 0;
    struct stat attributes {};
  };
  struct Created {
    Entry entry;
    u64 handle = 0;
  };

  /// Takes in what the backend has. `backend` must outlive the tree.
  explicit Tree(Backend& backend);

  /// Nothing: there is no such name. What is returned counts as one lookup, as that of every Entry.
  std::optional<Entry> lookup(u64 parent, const std::string& name);
  void forget(u64 inode, u64 count) noexcept;
  struct stat attributes(u64 inode);
  void access(u64 inode, int mask);
  struct statvfs space() {
    return backend_.space();
  }

  /// setattr. `size_bytes` without `handle` is truncate(2): there is no close() to follow, so that it
  /// attaches a volume nobody else is writing to.
  struct stat change(u64 inode, const AttributeChange& change, std::optional<u64> size_bytes,
                     std::optional<u64> handle, pid_t process);

  /// open(2) with O_CREAT: `flags` are its flags.
  Created create(u64 parent, const std::string& name, int flags, const Creation& creation);
  /// mknod(2): `type` is the S_IFMT part of its mode; only regular files can be made.
  Entry make_node(u64 parent, const std::string& name, mode_t type, const Creation& creation);
  /// Below .ctl/vol it makes a volume, a draft.
  Entry make_directory(u64 parent, const std::string& name, const Creation& creation);
  void unlink(u64 parent, const std::string& name);
  /// Below .ctl/vol it removes a volume, as unlink does.
  void remove_directory(u64 parent, const std::string& name);
  /// `flags` are those of renameat2(2). A volume that leaves a temporary name for an ordinary one is
  /// attached.
  void rename(u64 parent, const std::string& name, u64 new_parent, const std::string& new_name,
              unsigned flags);
  [[noreturn]] void link(u64 inode, u64 new_parent, const std::string& new_name);
  /// Attaches `target` in place; for root only.
  Entry symlink(u64 parent, const std::string& name, const std::string& target, const Creation& creation);
  std::string readlink(u64 inode);

  u64 open(u64 inode, int flags, pid_t process);
  /// EAGAIN: it is a file that goes on, and nothing has come yet.
  std::size_t read(u64 handle, u64 offset, std::span<std::byte> buffer);
  /// Of a handle to a file that goes on (.ctl/events): its place, from which is read in the order of the
  /// calls, whatever the offset. nullptr: it is no such handle. Never blocks, nor does what is returned.
  std::shared_ptr<EventRing::Reader> stream(u64 handle) noexcept;
  /// What all of them are read from.
  EventRing& events() noexcept { return backend_.events(); }
  /// To a control file, each write is a value of its own: it stands at the beginning of the file, or after
  /// what was written there before and ended in a newline. White space around it does not count.
  void write(u64 handle, u64 offset, std::span<const std::byte> bytes, pid_t process);
  void allocate(u64 handle, int mode, u64 offset, u64 length, pid_t process);
  void sync(u64 handle);
  /// lseek(2) with SEEK_DATA or SEEK_HOLE.
  u64 seek(u64 handle, u64 offset, int whence);
  /// copy_file_range(2); returns how many bytes have been copied. EOPNOTSUPP: one of the files is no volume;
  /// the kernel then reads and writes instead.
  u64 copy(u64 from, u64 from_offset, u64 to, u64 to_offset, u64 length, pid_t process);
  /// A close() of one of the handle's descriptors. Attaches the volume if `process` is the one that opened
  /// it, the volume was changed since, and no other writable handle of it is open; a failure is close()'s.
  void flush(u64 handle, pid_t process);
  /// From now on the handle is no writer. Never blocks, and may come before release(): a later open must not
  /// find a writer whose release is only waiting for its turn.
  void closing(u64 handle) noexcept;
  /// The last descriptor is gone. If it was the last writer, attaches the volume in the background.
  void release(u64 handle) noexcept;

  u64 open_directory(u64 inode);
  /// What opendir() saw, "." and ".." first.
  std::shared_ptr<const std::vector<Listed>> list(u64 handle);

 private:
  using Lock = std::unique_lock<std::mutex>;

  /// A node by one of its ids.
  struct Known {
    std::shared_ptr<Node> node;
    u64 lookups = 0;  // by the kernel, of all inodes with that id
  };

  /// Gives a new handle up again unless it is set to 0. Destroyed with mutex_ unlocked.
  struct Undo {
    Tree& tree;
    u64 handle;
    ~Undo() { tree.drop(handle, false); }
  };

  // All that takes a lock wants mutex_ locked and, if it throws, leaves it unlocked.
  [[noreturn]] void refuse(Lock& lock, int error, const std::string& sentence,
                           const std::string& advice = {});
  Place place(Lock& lock, u64 inode);
  std::shared_ptr<Handle> handle(Lock& lock, u64 number);
  std::shared_ptr<Handle> volume_handle(Lock& lock, u64 number, bool for_writing);
  Place own_directory(Lock& lock, u64 inode, const std::string& name, const char* verb,
                      bool or_mirror = false);
  std::shared_ptr<Node> existing(Lock& lock, const Place& directory, const std::string& name,
                                 const char* verb);
  void check_replaced(Lock& lock, const Node& source, const std::shared_ptr<Node>& target, unsigned flags);

  // mutex_ locked.
  Place child(const Place& directory, const std::string& name) const;
  std::shared_ptr<Node> add(Node& parent, const std::string& name, std::shared_ptr<Volume> volume);
  std::shared_ptr<Volume> detach(Node& node);
  void forget_unless_looked_up(u64 id);
  void renew_mirrors(const std::shared_ptr<Node>& node);
  u64 add_handle(Handle handle);
  u64 add_volume_handle(const std::shared_ptr<Node>& node, int flags, pid_t process, bool changed);
  static void close_writer(VolumeHandle& handle);
  std::vector<Listed> names_in(const Place& directory) const;

  // mutex_ unlocked.
  struct stat stat_of(const Place& place);
  Entry counted(const Place& place);
  u64 open_volume(const std::shared_ptr<Node>& node, int flags, pid_t process);
  u64 open_text(const Place& place, bool for_writing);
  u64 open_stream(const Place& place);
  void set_size(const Place& place, Volume& volume, const std::string& value);
  void write_value(TextHandle& file, u64 offset, std::span<const std::byte> bytes);
  std::string rendered(const Place& place);
  std::shared_ptr<Node> make_volume(Claims::Held& claim, Lock& lock, u64 parent, const std::string& name,
                                    const Creation& creation, bool& made);
  std::shared_ptr<Volume> move(u64 parent, const std::string& name, u64 new_parent,
                               const std::string& new_name, unsigned flags);
  void drop(u64 handle, bool attach) noexcept;
  void resize(const Place& volume, u64 size_bytes, std::optional<u64> handle, pid_t process);

  Backend& backend_;
  const timespec started_;
  std::mutex mutex_;
  Claims claims_{mutex_};
  std::unordered_map<u64, Known> nodes_;                      // in the tree, or looked up; guarded by mutex_
  std::unordered_map<u64, std::shared_ptr<Handle>> handles_;  // guarded by mutex_
  u64 next_node_ = 0;                                         // guarded by mutex_
  u64 next_handle_ = 1;                                       // guarded by mutex_
};

}  // namespace tcmufs::ctlfs
