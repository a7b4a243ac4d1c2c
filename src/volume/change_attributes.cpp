// Mode, owner and times of a volume are its image's, and owner and mode those of the disk's nodes. A mode
// without any write bit is write protection, which a disk has from when it was made: as with a setting, an
// idle disk is taken away and made anew.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "sys/error.h"
#include "volume/file_volume.h"

namespace tcmufs::volume {

namespace {

constexpr mode_t write_bits = 0222;

}  // namespace

void FileVolume::change_times(const ctlfs::AttributeChange& change) {
  constexpr timespec keep = {0, UTIME_OMIT};
  const timespec times[2] = {change.accessed.value_or(keep), change.modified.value_or(keep)};
  if (::futimens(image_.number(), times) != 0)
    throw_errno("cannot change the times of the image of " + quoted(facts().path));
}

lio::FileOwner FileVolume::owner() const {
  struct stat st {};
  if (::fstat(image_.number(), &st) != 0) throw_errno("cannot stat the image of " + quoted(facts().path));
  return {.uid = st.st_uid, .gid = st.st_gid, .permissions = st.st_mode & 0777};
}

void FileVolume::set_owner(uid_t uid, gid_t gid) {
  if (::fchown(image_.number(), uid, gid) != 0) {
    throw_errno("cannot change the owner of the image of " + quoted(facts().path));
  }
}

void FileVolume::set_mode(mode_t mode) {
  if (::fchmod(image_.number(), mode) != 0) {
    throw_errno("cannot change the mode of the image of " + quoted(facts().path));
  }
}

void FileVolume::give_nodes() {
  if (disk_) disk_->give_to(owner());
}

void FileVolume::change_owner(const ctlfs::AttributeChange& change) {
  const lio::FileOwner before = owner();
  set_owner(change.uid.value_or(before.uid), change.gid.value_or(before.gid));
  try {
    give_nodes();
  } catch (...) {
    set_owner(before.uid, before.gid);
    throw;
  }
}

bool FileVolume::write_protected_with(mode_t mode) const {
  return context_.read_only || record_.settings.read_only || (mode & write_bits) == 0 ||
         (::fcntl(image_.number(), F_GETFL) & O_ACCMODE) == O_RDONLY;
}

void FileVolume::change_mode(mode_t wanted) {
  const mode_t before = owner().permissions;
  if (!disk_ || write_protected_with(wanted) == write_protected_with(before)) {
    set_mode(wanted);
    try {
      return give_nodes();
    } catch (...) {
      set_mode(before);
      throw;
    }
  }
  make_anew(
      "cannot make " + quoted(facts().path) +
          (write_protected_with(wanted) ? " write-protected" : " writable"),
      [&] { set_mode(wanted); }, [&] { set_mode(before); });
}

}  // namespace tcmufs::volume
