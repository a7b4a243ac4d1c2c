#include "backstores/image.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "store/file_store.h"
#include "sys/deadline.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "volume/file_engine.h"
#include "volume/link_target.h"

namespace tcmufs::backstores {

namespace {

constexpr auto patience = std::chrono::seconds(10);
constexpr mode_t image_mode = 0600;

void must_be_absolute(const std::string& path) {
  if (path.starts_with('/')) return;
  throw Failure(EINVAL, quoted(path) + " is not the path of an image",
                "Say where the image file is, from the root on: cfgstring=/srv/images/disk.img");
}

/// Nothing, with errno ENOENT, if there is none.
Fd open_if_there(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
    throw Failure(EINVAL, quoted(path) + " is neither a file nor a block device");
  Fd file(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno != ENOENT) throw_errno("cannot use " + quoted(path));
  return file;
}

}  // namespace

void Images::check(const std::string& path) {
  must_be_absolute(path);
  if (const Fd file = open_if_there(path)) return volume::check_unused(file, path);
  const std::filesystem::path whole(path);
  if (!whole.has_filename()) throw Failure(EINVAL, quoted(path) + " is not the name of a file");
  const std::string directory = whole.parent_path().string();
  if (::access(directory.c_str(), R_OK | W_OK) != 0) throw_errno("cannot use " + quoted(directory));
  const std::lock_guard held(mutex_);
  to_be_made_.insert(path);
}

attach::Opened Images::open(const std::string& path) {
  must_be_absolute(path);
  Fd file = open_if_there(path);
  {
    const std::lock_guard held(mutex_);
    const bool to_be_made = to_be_made_.erase(path) > 0;
    if (!file && to_be_made) file = open_file(path, O_RDWR | O_CREAT, image_mode);
  }
  if (!file) {
    throw Failure(ENOENT, "the image " + quoted(path) + " is not there",
                  "Mount its file system, or put it back; it is looked for again and again");
  }
  const Deadline deadline = Deadline::after(patience);
  volume::check_unused(file, path);
  return {
      .store = std::make_unique<store::FileStore>(volume::open_anew(file, 0, path, deadline), path, deadline),
      .make_engine = volume::make_engine};
}

}  // namespace tcmufs::backstores
