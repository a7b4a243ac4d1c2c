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

namespace tcmufs::backstores {

namespace {

constexpr auto lock_patience = std::chrono::seconds(10);
constexpr mode_t image_mode = 0600;

void must_be_writable(const std::string& path) {
  if (::access(path.c_str(), R_OK | W_OK) != 0) throw_errno("cannot use " + quoted(path));
}

}  // namespace

void check_image(const std::string& path) {
  if (!path.starts_with('/')) {
    throw Failure(EINVAL, quoted(path) + " is not the path of an image",
                  "Say where the image file is, from the root on: cfgstring=/srv/images/disk.img");
  }
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0) {
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
      throw Failure(EINVAL, quoted(path) + " is neither a file nor a block device");
    return must_be_writable(path);
  }
  if (errno != ENOENT) throw_errno("cannot look at " + quoted(path));
  const std::filesystem::path whole(path);
  if (!whole.has_filename()) throw Failure(EINVAL, quoted(path) + " is not the name of a file");
  must_be_writable(whole.parent_path().string());
}

attach::Opened open_image(const std::string& path) {
  check_image(path);
  auto store = std::make_unique<store::FileStore>(open_file(path, O_RDWR | O_CREAT, image_mode), path,
                                                  Deadline::after(lock_patience));
  return {.store = std::move(store), .make_engine = volume::make_engine};
}

}  // namespace tcmufs::backstores
