#pragma once

#include <string>

#include "sys/fd.h"

namespace tcmufs::volume {

/// The directory that holds the images. Every path is relative to it and is resolved by the kernel below it,
/// without following any symbolic link (openat2: RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS): whatever somebody
/// puts into the store, nothing outside it is ever touched. Throws Failure with the whole path in the
/// sentence.
class StoreDirectory {
 public:
  explicit StoreDirectory(const std::string& path);

  const std::string& path() const noexcept { return path_; }
  int fd() const noexcept { return root_.number(); }
  std::string full(const std::string& relative) const;

  /// open(2); `relative` may be "" for the store itself.
  Fd open(const std::string& relative, int flags, mode_t mode = 0) const;
  void make_directory(const std::string& relative, mode_t mode) const;
  void unlink(const std::string& relative) const;
  void remove_directory(const std::string& relative) const;
  /// rename(2), and both directories synced.
  void rename(const std::string& from, const std::string& to, bool replaces) const;
  bool exists(const std::string& relative) const;
  void make_link(const std::string& relative, const std::string& target) const;
  /// fsync(2) of the directory that holds `relative`.
  void sync_parent(const std::string& relative) const;

 private:
  struct Place {
    Fd parent;
    std::string name;
  };
  Place place(const std::string& relative) const;

  std::string path_;
  Fd root_;
};

}  // namespace tcmufs::volume
