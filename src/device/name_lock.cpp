#include "device/name_lock.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "sys/error.h"

namespace tcmufs::device {

namespace {

bool is_still(const Fd& file, const std::string& path) {
  struct stat opened {};
  struct stat present {};
  return ::fstat(file.number(), &opened) == 0 && ::stat(path.c_str(), &present) == 0 &&
         opened.st_ino == present.st_ino && opened.st_dev == present.st_dev;
}

}  // namespace

NameLock::NameLock(const std::string& key, const std::string& shown, const std::string& run)
    : path_(run + "/" + key) {
  std::error_code error;
  std::filesystem::create_directories(run, error);
  if (error) throw Failure(error.value(), "cannot create the directory " + quoted(run));
  // Whoever had it before may be removing the file just now.
  do {
    file_ = open_file(path_, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (::flock(file_.number(), LOCK_EX | LOCK_NB) == 0) continue;
    if (errno != EWOULDBLOCK) throw_errno("cannot lock " + tcmufs::quoted(path_));
    throw Failure(EBUSY, "the device " + quoted(shown) + " is open already, in this process or another");
  } while (!is_still(file_, path_));
}

NameLock::~NameLock() {
  ::unlink(path_.c_str());
}

}  // namespace tcmufs::device
