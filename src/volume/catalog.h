#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "sys/fd.h"
#include "sys/uuid.h"
#include "volume/record.h"
#include "volume/store_directory.h"

namespace tcmufs::volume {

/// The store on disk: images under their relative paths, and below ".tcmufs" what belongs to them.
///
///   .tcmufs/lock         flock(2)ed by the daemon that serves the store; holds its process id
///   .tcmufs/uuid         the store's own identity
///   .tcmufs/defaults     the settings of new volumes, if somebody has chosen them
///   .tcmufs/records/P    the record of the volume P; of the directory D it is records/D/.tcmufs
///                        A symbolic link P is a volume only if its record says where it leads, and it is
///                        this process's user's: the record comes first, and goes last.
///   .tcmufs/rename       a rename under way: the old path and the new one, a NUL after each
///   .tcmufs/new          what is being written before it is renamed into place
///
/// Every change is on stable storage when the call returns, and a kill between any two steps is settled by
/// the next load(): an image without a record is a new volume, a record without an image is dropped, a rename
/// is finished or was never begun. All members may be called from any thread; changes are serialized by
/// mutex_.
class Catalog {
 public:
  struct Entry {
    std::string path;
    bool directory = false;
    Record record;
    std::string problem;    // a sentence: why the record cannot be used; then the image is left alone
    bool left_out = false;  // no volume at all, but its record says that it was one: its disk may be there
  };

  /// Opens and locks the store. Throws Failure: ENOENT, ENOTDIR, EBUSY (served by another daemon).
  explicit Catalog(const std::string& path);

  const std::string& path() const noexcept { return directory_.path(); }
  const Uuid& uuid() const noexcept { return uuid_; }

  /// Everything in the store, directories before what is in them. What is neither a regular file nor a
  /// directory, nor a link that was made by create_link(), is left out; names of ours that are in the way are
  /// left out too: `skipped` says which, and why. Images without a record get one, with the settings of
  /// `new_volumes`, which may throw Failure: that is the image's problem then.
  std::vector<Entry> load(
      std::vector<std::string>& skipped,
      const std::function<Settings()>& new_volumes = [] { return Settings{}; });

  struct Ownership {
    mode_t permissions = 0600;
    uid_t uid = 0;
    gid_t gid = 0;
  };
  /// Tells the record which file that is.
  Fd create_image(const std::string& path, Record& record, const Ownership& ownership);
  /// A link whose record says `target`; create_link() makes it of a record that save() has written. Returns
  /// the link itself (O_PATH).
  Fd create_link(const std::string& path, const std::string& target);
  Fd open_link(const std::string& path) const;
  /// The record of what has not come into the store after all.
  void drop_record(const std::string& path) noexcept;
  /// Throws Failure (EEXIST) if there is anything of that name.
  void check_free(const std::string& path) const;
  void create_directory(const std::string& path, const Record& record, const Ownership& ownership);
  Fd open_image(const std::string& path) const;
  Fd open_directory(const std::string& path) const;
  void remove_image(const std::string& path);
  void remove_directory(const std::string& path);
  /// Of an image or a directory. If it `replaces`, an image at `to` is gone in the same instant; otherwise
  /// nothing may be there.
  void rename(const std::string& from, const std::string& to, bool replaces = false);
  void save(const std::string& path, const Record& record);

  /// The settings of new volumes. Throws Failure (EBADMSG) if the file cannot be understood.
  Settings load_defaults() const;
  void save_defaults(const Settings& settings);

 private:
  void lock_store();
  void load_uuid();
  void finish_rename();
  void load_directory(const std::string& path, std::vector<Entry>& entries, std::vector<std::string>& skipped,
                      const std::function<Settings()>& new_volumes);
  std::string load_link(Entry& entry, const Fd& directory, const std::string& name, uid_t owner) const;
  void load_record(Entry& entry, const std::function<Settings()>& new_volumes);
  void drop_stray_records(const std::string& path);
  void take_back(const std::function<void()>& step) noexcept;
  void write_record(const std::string& record_path, const Record& record);

  std::mutex mutex_;
  StoreDirectory directory_;
  Fd lock_;
  Fd spare_;  // guarded by mutex_
  Uuid uuid_;
};

}  // namespace tcmufs::volume
