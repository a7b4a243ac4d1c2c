#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ctlfs/backend.h"
#include "ctlfs/control_files.h"
#include "ctlfs/inode.h"
#include "sys/integers.h"

namespace tcmufs::ctlfs {

/// A volume or a directory. All members are guarded by the tree's mutex, except `id`, `directory` and `link`,
/// which never change.
struct Node {
  u64 id = 0;  // never reused
  /// The same for its directory below .ctl/vol, which has a new one whenever its path changes: the kernel
  /// knows a directory under one name, and if it met a known one elsewhere, would move it there, or, when it
  /// cannot, answer ESTALE or ELOOP.
  u64 mirror_id = 0;
  bool directory = false;
  bool link = false;  // a volume that is a symbolic link; never changes
  std::string name;
  Node* parent = nullptr;  // nullptr: the root, or no longer in the tree
  bool removed = false;
  std::map<std::string, std::shared_ptr<Node>> children;

  std::shared_ptr<Volume> volume;  // of a removed one: until its last handle is released
  unsigned handles = 0;
  unsigned writers = 0;  // writable handles that are not being released
  u64 changes = 0;       // writes, resizes and changes of attributes so far

  /// "web/disk0"; "" for the root.
  std::string path() const;
  std::shared_ptr<Node> child(const std::string& child_name) const;
};

/// The files of a directory of control files, and the facet of the first.
struct ControlTable {
  std::span<const ControlFile> files;
  Facet first = Facet::first_file;
};

/// A node and which of its inodes is meant. Made with the tree's mutex locked.
struct Place {
  std::shared_ptr<Node> node;
  Facet facet = Facet::self;
  u64 id = !node ? 0 : facet == Facet::mirror ? node->mirror_id : node->id;

  u64 number() const { return Inode{id, facet}.number(); }
  bool is_directory() const;
  bool is_volume() const { return facet == Facet::self && !node->directory; }
  bool is_link() const { return is_volume() && node->link; }
  /// A directory in which users make things; not .ctl and what is below.
  bool is_own_directory() const { return facet == Facet::self && node->directory; }
  /// .ctl/vol or of a directory below: volumes are made and removed there too, as directories.
  bool is_mirror() const { return facet == Facet::mirror && node->directory; }
  /// Of .ctl, .ctl/defaults and .ctl/vol/PATH of a volume.
  ControlTable control_table() const;
  /// Of a file in one of those; nullptr: it is none.
  const ControlFile* control_file() const;
  /// The name under which the backend or the volume knows that file: "size", "defaults/block_size".
  std::string control_name() const;
  /// Values can be written to it.
  bool takes_values() const { return control_file() != nullptr && control_file()->writable; }
  /// Reading it waits for what comes next.
  bool is_stream() const { return control_file() != nullptr && control_file()->stream; }
  /// The path from the root of the mount, "" for the root itself.
  std::string path() const;
};

/// An open file of a volume.
struct VolumeHandle {
  std::shared_ptr<Node> node;
  std::shared_ptr<Volume> volume;
  bool writable = false;
  pid_t opener = 0;  // thread-group id
  u64 changes_at_open = 0;
  u64 changes_at_attach = ~u64{0};  // when its FLUSH attached the volume; guarded by the tree's mutex
  bool closing = false;             // no longer counted as a writer; guarded by the tree's mutex
};

/// An open status or control file: what it said at open(), or after the last value was written through it.
struct TextHandle {
  std::shared_ptr<const std::string> text;  // guarded by the tree's mutex
  std::optional<Place> written;             // where values go, if it is open for writing
  u64 end = 0;                              // of what has been written; guarded by the tree's mutex
  bool line_ended = false;                  // that was a whole line; guarded by the tree's mutex
};

/// An open file that goes on.
struct StreamHandle {
  std::shared_ptr<EventRing::Reader> reader;
};

struct Listed {
  std::string name;
  u64 inode = 0;
  mode_t type = 0;  // S_IFDIR, S_IFREG or S_IFLNK
};

/// An open directory: what was in it at opendir().
struct DirectoryHandle {
  std::vector<Listed> names;
};

using Handle = std::variant<VolumeHandle, TextHandle, StreamHandle, DirectoryHandle>;

}  // namespace tcmufs::ctlfs
