// A volume that is a link: its image lies elsewhere, under a name that may lead to another file, or nowhere,
// the next time. So it is opened anew whenever it is to become a disk, and only kept open while it is one.
// The number of the descriptor stays the same; what it stands for changes with dup3(2), under the feet of
// whoever uses it meanwhile.

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "sys/error.h"
#include "volume/file_volume.h"
#include "volume/link_target.h"

namespace tcmufs::volume {

Fd FileVolume::no_image() {
  return open_file("/dev/null", O_PATH);
}

void FileVolume::put_image(const Fd& file) {
  struct stat st {};
  if (::fstat(file.number(), &st) != 0) throw_errno("cannot stat " + shown_image());
  if (::dup3(file.number(), image_.number(), O_CLOEXEC) < 0)
    throw_errno("cannot keep " + shown_image() + " open");
  const std::lock_guard lock(mutex_);
  medium_ = st;
}

void FileVolume::open_target() {
  if (!is_link()) return open_replaced_image();
  const Fd file = open_link_target(link_target_, tcmufs_mounts());
  context_.refuse_medium(file, *this);
  put_image(file);
}

// Somebody who is in the store may have put another file in the place of the image, while there was no disk
// of it.
void FileVolume::open_replaced_image() {
  const Fd file = context_.catalog.open_image(facts().path);
  struct stat st {};
  if (::fstat(file.number(), &st) != 0) throw_errno("cannot stat " + shown_image());
  if (!is_over(st)) put_image(file);
}

std::string FileVolume::shown_image() const {
  return is_link() ? quoted(link_target_) : "the image of " + quoted(facts().path);
}

// The record says which file it is before there is a disk of it. A disk that is in the kernel already, with
// what its users have not written yet, is of that file and of no other that has taken its name.
void FileVolume::know_image() {
  if (is_link() && !wanted_) throw Failure(ESHUTDOWN, quoted(facts().path) + " has been given up");
  Record record = record_;
  record.medium = medium_text(image_);
  if (record == record_) return;
  if (!record_.medium.empty() && context_.left_in_kernel(record_.uuid)) {
    throw Failure(ESTALE,
                  shown_image() + " is another file than the one of which the disk of " +
                      quoted(facts().path) + ", still in the kernel, was made",
                  "Put that back under its name and attach the volume again");
  }
  keep(record);
}

void FileVolume::close_target() noexcept {
  if (!is_link()) return;
  try {
    put_image(no_image());
  } catch (const std::exception& error) {  // then it stays open
    context_.log(error.what());
  }
}

bool FileVolume::is_over(const struct stat& file) const {
  const std::lock_guard lock(mutex_);
  return same_medium(medium_, file);
}

void FileVolume::linked(Fd link) {
  link_ = std::move(link);
}

ctlfs::Attributes FileVolume::link_attributes() const {
  struct stat st {};
  if (::fstat(link_.number(), &st) != 0) throw_errno("cannot stat the link " + quoted(facts().path));
  ctlfs::Attributes result;
  result.permissions = 0777;
  result.uid = st.st_uid;
  result.gid = st.st_gid;
  result.size_bytes = link_target_.size();
  result.accessed = st.st_atim;
  result.modified = st.st_mtim;
  result.changed = st.st_ctim;
  return result;
}

void FileVolume::change_link(const ctlfs::AttributeChange& change) {
  const std::string what = "cannot change the link " + quoted(facts().path);
  const auto differs = [](const auto& wanted, auto now) { return wanted && *wanted != now; };
  const ctlfs::Attributes now = link_attributes();
  if (change.permissions) refuse(EOPNOTSUPP, what + ": it has no mode");
  if (differs(change.uid, now.uid) || differs(change.gid, now.gid))
    refuse(EPERM, what + ": it stays its owner's", "Change the owner of " + quoted(link_target_));
  if (!change.accessed && !change.modified) return;
  constexpr timespec keep = {0, UTIME_OMIT};
  const timespec times[2] = {change.accessed.value_or(keep), change.modified.value_or(keep)};
  if (::utimensat(link_.number(), "", times, AT_EMPTY_PATH) != 0)
    throw_errno("cannot change the times of the link " + quoted(facts().path));
}

// The kernel may have been told otherwise by somebody who has made the file longer.
void FileVolume::follow_target() {
  const off_t end = ::lseek(image_.number(), 0, SEEK_END);
  if (end < 0) throw_errno("cannot tell the size of " + quoted(link_target_));
  const auto size_bytes = static_cast<u64>(end);
  if (size_bytes <= facts().size_bytes) return;
  if (const auto failure = misfit(size_bytes)) throw Failure(*failure);
  resize_disk(size_bytes);
}

void FileVolume::resize_link(u64 size_bytes) {
  const std::string what =
      "cannot make " + quoted(facts().path) + " " + std::to_string(size_bytes) + " bytes long";
  if (size_bytes == 0) throw Failure(EINVAL, what, "Remove the link to be rid of the disk");
  if (disk_) return resize_linked(size_bytes, what);
  static_cast<void>(is_file());  // not below a disk that could not be taken over
  try {
    open_target();
    check_unused(image_, link_target_);
    resize_linked(size_bytes, what);
  } catch (...) {
    close_target();
    throw;
  }
  close_target();
}

void FileVolume::resize_linked(u64 size_bytes, const std::string& what) {
  struct stat st {};
  const off_t end = ::lseek(image_.number(), 0, SEEK_END);
  if (end < 0 || ::fstat(image_.number(), &st) != 0)
    throw_errno("cannot tell the size of " + quoted(link_target_));
  if (S_ISBLK(st.st_mode) && static_cast<u64>(end) != size_bytes) {
    throw Failure(EINVAL,
                  what + ": the block device " + quoted(link_target_) + " has " + std::to_string(end));
  }
  if (disk_) return resize_disk(size_bytes);
  if (!S_ISBLK(st.st_mode)) resize_image(size_bytes, 0);
}

}  // namespace tcmufs::volume
