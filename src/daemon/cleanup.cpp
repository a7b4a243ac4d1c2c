#include "daemon/cleanup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "fuse/mount_point.h"
#include "lio/configfs.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "sys/text_file.h"
#include "sys/uuid.h"
#include "volume/cleanup.h"

namespace tcmufs::daemon {

namespace {

/// The stores that are named: their uuids, and the locks of those named by their directories, so that no
/// daemon begins to serve them meanwhile. A lock that is held is no obstacle: its process may be dying, and
/// one that lives is seen by what it serves.
class NamedStores {
 public:
  explicit NamedStores(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (const auto uuid = Uuid::parse(name)) {
        uuids_.insert(uuid->text());
      } else {
        uuids_.insert(uuid_of(name));
        lock(name);
      }
    }
  }

  const std::set<std::string>& uuids() const noexcept { return uuids_; }
  bool have(const fuse::MountLine& mount) const {
    if (uuids_.empty()) return true;
    try {
      return uuids_.contains(read_line(mount.source + "/.tcmufs/uuid"));
    } catch (const Failure&) {
      return false;
    }
  }

 private:
  static std::string uuid_of(const std::string& directory) {
    const std::string file = directory + "/.tcmufs/uuid";
    if (!path_exists(file))
      throw Failure(ENOENT,
                    quoted(directory) + " is neither the uuid of a store nor a directory that is one");
    return read_line(file);
  }
  void lock(const std::string& directory) {
    Fd file(::open((directory + "/.tcmufs/lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (file && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0) locks_.push_back(std::move(file));
  }

  std::set<std::string> uuids_;
  std::vector<Fd> locks_;
};

void say(const std::string& sentence) {
  std::printf("%s\n", sentence.c_str());
  std::fflush(stdout);
}

void say_as_error(const std::string& sentence) {
  std::fprintf(stderr, "tcmufs: %s\n", sentence.c_str());
}

}  // namespace

int clean_up(const Options& options) {
  if (::geteuid() != 0) throw Failure(EPERM, "removing disks needs root", "Run it with sudo");
  const NamedStores stores(options.cleanup_stores);
  bool anything = false;
  int status = 0;
  const auto done = [&](const std::string& sentence) {
    anything = true;
    say(sentence);
  };
  const auto left = [&](const std::string& sentence) {
    anything = true;
    say_as_error(sentence);
  };
  const auto refused = [&](const std::string& sentence) {
    status = 1;
    say_as_error(sentence);
  };
  lio::Configfs tree(refused);
  volume::clean_up(tree, {.stores = stores.uuids(), .dry_run = options.dry_run},
                   {.done = done, .left = left, .refused = refused});
  // After the disks: a daemon that was killed while it waited for one dies, and its mount with it, now.
  for (const fuse::MountLine& mount : fuse::dead_mounts()) {
    if (!stores.have(mount)) continue;
    if (!options.dry_run) fuse::clear_dead_mount(mount);
    done((options.dry_run ? "would unmount " : "unmounted ") + quoted(mount.point) +
         ", whose daemon is dead");
  }
  if (!anything && status == 0) say("nothing is left");
  return status;
}

}  // namespace tcmufs::daemon
