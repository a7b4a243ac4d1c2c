#include "mountctl/mount_point.h"

#include <libmount.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "mountctl/refusal.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

constexpr const char* type_name = "fuse.tcmufs";

struct TableRelease {
  void operator()(libmnt_table* table) const { mnt_unref_table(table); }
};
struct IteratorRelease {
  void operator()(libmnt_iter* iterator) const { mnt_free_iter(iterator); }
};
struct StringRelease {
  void operator()(char* text) const { std::free(text); }
};

std::string candidates(const std::vector<MountPoint>& mounts) {
  if (mounts.empty()) return "None is mounted; 'mountctl mount STORE MNT' mounts one";
  std::string text = mounts.size() == 1 ? "Mounted is " : "Mounted are ";
  for (std::size_t i = 0; i < mounts.size(); ++i) text += (i == 0 ? "" : ", ") + quoted(mounts[i].path);
  return text;
}

std::string resolved(const std::string& path) {
  const std::unique_ptr<char, StringRelease> text(::realpath(path.c_str(), nullptr));
  return text ? text.get() : std::string();
}

/// The directory that holds `path` resolved, the last component left as it is.
std::string resolved_but_the_last(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const auto slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name == "." || name == ".." || name.empty()) return {};
  std::string directory = resolved(slash == std::string::npos ? "." : path.substr(0, slash + 1));
  if (directory.empty()) return {};
  if (!directory.ends_with('/')) directory += '/';
  return directory + name;
}

const MountPoint* find(const std::vector<MountPoint>& mounts, const std::string& path) {
  const auto found =
      std::find_if(mounts.begin(), mounts.end(), [&](const MountPoint& mount) { return mount.path == path; });
  return found == mounts.end() ? nullptr : &*found;
}

}  // namespace

std::vector<MountPoint> find_mounts(const std::string& mountinfo) {
  errno = 0;
  const std::unique_ptr<libmnt_table, TableRelease> table(mnt_new_table_from_file(mountinfo.c_str()));
  if (!table) throw Failure(errno != 0 ? errno : EINVAL, "cannot read the mounts from " + quoted(mountinfo));
  const std::unique_ptr<libmnt_iter, IteratorRelease> iterator(mnt_new_iter(MNT_ITER_FORWARD));
  if (!iterator) throw Failure(ENOMEM, "cannot read the mounts from " + quoted(mountinfo));

  std::vector<MountPoint> mounts;
  libmnt_fs* entry = nullptr;
  while (mnt_table_next_fs(table.get(), iterator.get(), &entry) == 0) {
    const char* target = mnt_fs_get_target(entry);
    if (target == nullptr) continue;
    std::erase_if(mounts, [&](const MountPoint& mount) { return mount.path == target; });
    const char* type = mnt_fs_get_fstype(entry);
    const char* root = mnt_fs_get_root(entry);
    const bool whole = root == nullptr || std::strcmp(root, "/") == 0;
    if (type != nullptr && std::strcmp(type, type_name) == 0 && whole) {
      mounts.push_back({target, mnt_fs_get_devno(entry)});
    }
  }
  return mounts;
}

std::optional<std::string> source_mounted_on(const std::string& path, const std::string& mountinfo) {
  errno = 0;
  const std::unique_ptr<libmnt_table, TableRelease> table(mnt_new_table_from_file(mountinfo.c_str()));
  if (!table) throw Failure(errno != 0 ? errno : EINVAL, "cannot read the mounts from " + quoted(mountinfo));
  // Backward: what was mounted last is what is seen.
  libmnt_fs* entry = mnt_table_find_target(table.get(), path.c_str(), MNT_ITER_BACKWARD);
  const char* source = entry != nullptr ? mnt_fs_get_source(entry) : nullptr;
  if (source == nullptr) return std::nullopt;
  return source;
}

std::string choose_mount(const std::string& wanted, const std::vector<MountPoint>& mounts) {
  if (!wanted.empty()) {
    const MountPoint* mount = find(mounts, resolved_but_the_last(wanted));
    if (mount == nullptr) mount = find(mounts, resolved(wanted));
    if (mount == nullptr) {
      throw Refusal(ExitStatus::failed, quoted(wanted) + " is no mount of tcmufs. " + candidates(mounts));
    }
    return mount->path;
  }
  if (mounts.empty()) {
    throw Refusal(ExitStatus::failed, "no tcmufs is mounted; 'mountctl mount STORE MNT' mounts one");
  }
  const bool one = std::all_of(mounts.begin(), mounts.end(),
                               [&](const MountPoint& mount) { return mount.device == mounts[0].device; });
  if (!one)
    throw Refusal(ExitStatus::failed, "which mount? " + candidates(mounts) + "; name one with --mount");
  return mounts[0].path;
}

}  // namespace tcmufs::mountctl
