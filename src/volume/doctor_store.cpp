// What the store's file system can do, and how full it is.

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "sys/error.h"
#include "sys/fd.h"
#include "volume/doctor.h"
#include "volume/features.h"

namespace tcmufs::volume {

namespace {

using Grade = Finding::Grade;

Fd nameless_file(int directory) {
  return Fd(::openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

Finding direct_io(const Fd& file) {
  const std::string path = "/proc/self/fd/" + std::to_string(file.number());
  if (const Fd direct(::open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC)); direct)
    return {Grade::ok, "direct", "images can be used without the page cache (O_DIRECT)"};
  return {Grade::warn, "direct",
          "the setting direct cannot be used: " + std::string(Failure(errno, "O_DIRECT is refused").what())};
}

Finding reflink(int directory, const Fd& file) {
  const Fd copy = nameless_file(directory);
  if (copy && ::ioctl(copy.number(), FICLONE, file.number()) == 0)
    return {Grade::ok, "reflink", "copies of images share their blocks (cp --reflink)"};
  return {Grade::ok, "reflink",
          "the file system shares no blocks: a copy of an image takes up its whole size"};
}

u64 promised_bytes(const std::string& store) {
  namespace fs = std::filesystem;
  u64 promised = 0;
  std::error_code error;
  fs::recursive_directory_iterator at(store, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->path().filename() == ".tcmufs") at.disable_recursion_pending();
    struct stat st {};
    if (::lstat(at->path().c_str(), &st) != 0 || !S_ISREG(st.st_mode)) continue;
    constexpr u64 unit_bytes = 512;
    const u64 size = static_cast<u64>(st.st_size);
    const u64 allocated = static_cast<u64>(st.st_blocks) * unit_bytes;
    if (size > allocated) promised += size - allocated;
  }
  if (error) throw Failure(error.value(), "cannot list the store " + quoted(store));
  return promised;
}

std::string mebibytes(u64 bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

std::vector<Finding> examine_store(const std::string& store) {
  const Fd directory = open_file(store, O_RDONLY | O_DIRECTORY);
  std::vector<Finding> findings;
  for (const Feature& feature : find_features(directory.number())) {
    if (feature.name == "engine") {
      const Grade grade = feature.value == "io_uring" ? Grade::ok : Grade::warn;
      findings.push_back(
          {grade, "io_uring", grade == Grade::ok ? "it can be used" : feature.why + "; threads do its work"});
    } else if (feature.name == "punch_hole") {
      findings.push_back({feature.value == "yes" ? Grade::ok : Grade::warn, "punch_hole", feature.why});
    }
  }
  const Fd file = nameless_file(directory.number());
  if (!file) {
    const Failure failure(errno, "no file can be made in the store " + quoted(store));
    const bool cannot_write =
        failure.error() == EROFS || failure.error() == EACCES || failure.error() == ENOSPC;
    findings.push_back({cannot_write ? Grade::fix : Grade::warn, "store", failure.what()});
    return findings;
  }
  findings.push_back(direct_io(file));
  findings.push_back(reflink(directory.number(), file));
  return findings;
}

Finding judge_space(u64 promised_bytes, u64 free_bytes, u64 whole_bytes) {
  const std::string figures = mebibytes(free_bytes) + " of " + mebibytes(whole_bytes) + " are free, and " +
                              mebibytes(promised_bytes) + " that volumes have are not written yet";
  constexpr u64 hundredth = 100;
  if (promised_bytes > free_bytes && free_bytes <= whole_bytes / hundredth) {
    return {Grade::fix, "space", figures + ": writes are about to fail; make room in the store, now"};
  }
  if (promised_bytes > free_bytes) {
    return {Grade::warn, "space", figures + ": more is promised than there is; watch it, or make room"};
  }
  return {Grade::ok, "space", figures};
}

std::vector<Finding> examine_space(const std::string& store) {
  struct statvfs space {};
  if (::statvfs(store.c_str(), &space) != 0) throw_errno("cannot tell the free space of " + quoted(store));
  return {judge_space(promised_bytes(store), u64{space.f_bavail} * space.f_frsize,
                      u64{space.f_blocks} * space.f_frsize)};
}

}  // namespace tcmufs::volume
