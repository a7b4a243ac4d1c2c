// Mode, owner and times of a volume are its image's. A mode without any write bit is write protection, which
// a disk has from when it was made: as with a setting, an idle disk is taken away and made anew.

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "sys/error.h"
#include "volume/file_volume.h"

namespace tcmufs::volume {

namespace {

constexpr mode_t write_bits = 0222;

}  // namespace

void FileVolume::change_owner_and_times(const ctlfs::AttributeChange& change) {
  const std::string of_image = " of the image of " + quoted(facts().path);
  const uid_t uid = change.uid.value_or(static_cast<uid_t>(-1));
  const gid_t gid = change.gid.value_or(static_cast<gid_t>(-1));
  if ((change.uid || change.gid) && ::fchown(image_.number(), uid, gid) != 0) {
    throw_errno("cannot change the owner" + of_image);
  }
  if (change.accessed || change.modified) {
    constexpr timespec keep = {0, UTIME_OMIT};
    const timespec times[2] = {change.accessed.value_or(keep), change.modified.value_or(keep)};
    if (::futimens(image_.number(), times) != 0) throw_errno("cannot change the times" + of_image);
  }
}

mode_t FileVolume::mode() const {
  struct stat st {};
  if (::fstat(image_.number(), &st) != 0) throw_errno("cannot stat the image of " + quoted(facts().path));
  return st.st_mode & 0777;
}

void FileVolume::set_mode(mode_t mode) {
  if (::fchmod(image_.number(), mode) != 0) {
    throw_errno("cannot change the mode of the image of " + quoted(facts().path));
  }
}

bool FileVolume::write_protected_with(mode_t mode) const {
  return context_.read_only || record_.settings.read_only || (mode & write_bits) == 0;
}

void FileVolume::change_mode(mode_t wanted) {
  const mode_t before = mode();
  if (!disk_ || write_protected_with(wanted) == write_protected_with(before)) return set_mode(wanted);
  make_anew(
      "cannot make " + quoted(facts().path) +
          (write_protected_with(wanted) ? " write-protected" : " writable"),
      [&] { set_mode(wanted); }, [&] { set_mode(before); });
}

}  // namespace tcmufs::volume
