#pragma once

#include <sys/statvfs.h>
#include <sys/types.h>

#include <cstddef>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sys/event_ring.h"
#include "sys/integers.h"

namespace tcmufs::ctlfs {

struct Attributes {
  mode_t permissions = 0;  // 07777 bits only
  uid_t uid = 0;
  gid_t gid = 0;
  u64 size_bytes = 0;
  u64 blocks_512 = 0;  // what is really allocated
  timespec accessed{};
  timespec modified{};
  timespec changed{};
};

/// What setattr may change besides the size; what is not given stays.
struct AttributeChange {
  std::optional<mode_t> permissions;
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  std::optional<timespec> accessed;
  std::optional<timespec> modified;
};

struct Creation {
  mode_t permissions = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t process = 0;   // thread-group id
  bool draft = false;  // becomes a disk only when it is told to
};

/// A volume as the tree sees it: a file that can become a disk. All members may be called from any thread,
/// may block on I/O, and throw Failure with the errno the user is to see and a sentence (which the volume
/// also keeps as its last_error).
class Volume {
 public:
  Volume() = default;
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;
  virtual ~Volume() = default;

  virtual Attributes attributes() = 0;
  virtual void change(const AttributeChange& change) = 0;
  virtual void resize(u64 size_bytes, pid_t process) = 0;
  virtual std::size_t read(u64 offset, std::span<std::byte> buffer) = 0;
  virtual void write(u64 offset, std::span<const std::byte> bytes, pid_t process) = 0;
  /// fallocate(2) with its mode flags.
  virtual void allocate(int mode, u64 offset, u64 length, pid_t process) = 0;
  virtual void sync() = 0;
  /// lseek(2) with SEEK_DATA or SEEK_HOLE: holes are those of the image.
  virtual u64 seek(u64 offset, int whence) = 0;
  /// Copies from another volume of the same backend, as write() would: blocks are shared where the store can,
  /// holes stay holes. Returns how many bytes it was, which may be fewer; 0: at the end of the source.
  virtual u64 copy_from(Volume& source, u64 source_offset, u64 offset, u64 length, pid_t process) = 0;

  /// Turns the file into a disk and returns when it is ready. Does nothing if it is a disk already, a draft,
  /// or its size is 0.
  virtual void attach() = 0;
  /// The same in the background; the result is in state and last_error.
  virtual void attach_later() noexcept = 0;

  /// The contents of .ctl/vol/PATH/FILE; never blocks on the disk or the image.
  virtual std::string control(const std::string& file) = 0;
  /// A value for a setting, .ctl/vol/PATH/FILE, without white space around it. It holds when the call
  /// returns, also for the disk, and is kept in the store; if that cannot be, everything is as before. Or, to
  /// "ctl", a verb, which has been carried out when the call returns.
  virtual void set_control(const std::string& file, const std::string& value) = 0;

  /// What the volume is a symbolic link to; "": it is a file. Never changes, never blocks.
  virtual std::string link_target() const = 0;

  /// What .ctl/vol/PATH/events shows of Backend::events(); ends with the volume. Never blocks.
  virtual std::shared_ptr<EventRing::Topic> topic() const = 0;
};

/// What the tree is given to work on: the volumes and directories of one store. Paths are relative, "db0",
/// "web/disk0". All members may be called from any thread, without a lock of the tree, and throw Failure.
class Backend {
 public:
  struct Entry {
    std::string path;
    std::shared_ptr<Volume> volume;  // nullptr: a directory
  };

  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /// Everything there is, directories before what is in them.
  virtual std::vector<Entry> entries() = 0;

  virtual std::shared_ptr<Volume> create(const std::string& path, const Creation& creation) = 0;
  /// Attaches what exists, a file or a block device, in place: the volume is a symbolic link to `target`, and
  /// a disk when the call returns, unless its name is a temporary one. What it leads to is never removed.
  virtual std::shared_ptr<Volume> attach_in_place(const std::string& path, const std::string& target) = 0;
  virtual void make_directory(const std::string& path, const Creation& creation) = 0;
  /// Tears the disk down, then deletes the image; EBUSY while it is used.
  virtual void remove(const std::string& path) = 0;
  virtual void remove_directory(const std::string& path) = 0;
  /// Of a volume or a directory; a volume that is at `to` already is removed first (EBUSY while used).
  virtual void rename(const std::string& from, const std::string& to) = 0;

  /// "" is the root of the mount.
  virtual Attributes directory_attributes(const std::string& path) = 0;
  virtual void change_directory(const std::string& path, const AttributeChange& change) = 0;
  virtual struct statvfs space() = 0;

  /// The table of the volumes in `directory` ("": all), as the file `status` there shows it.
  virtual std::string status_table(const std::string& directory) = 0;
  /// The contents of .ctl/FILE ("status", "status.json", "version", "features", "last_error",
  /// "defaults/block_size" ...).
  virtual std::string control(const std::string& file) = 0;
  /// A value for a setting, .ctl/FILE ("defaults/block_size"), without white space around it. It is kept in
  /// the store when the call returns. Or, to "ctl", a verb for all volumes, which has been tried on each when
  /// the call returns.
  virtual void set_control(const std::string& file, const std::string& value) = 0;

  /// What .ctl/events shows. Lives as long as the backend.
  virtual EventRing& events() noexcept = 0;

  /// An operation on `path` was refused by the tree itself: keep the sentence for .ctl/last_error.
  virtual void refused(const std::string& sentence) noexcept = 0;
};

}  // namespace tcmufs::ctlfs
