#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuse/mount_point.h"
#include "sys/fd.h"

struct fuse_session;

namespace tcmufs::ctlfs {
class Tree;
}

namespace tcmufs::fuse {

class StreamReads;
struct Served;

/// Throws Failure (EINVAL) if they are not options of a mount, as a Session would.
void check_options(const std::vector<std::string>& options);

/// A tree, mounted. mount() and run() are for one thread; the others may be called from any. No signal
/// handlers are installed, and the threads that serve have all signals blocked.
class Session {
 public:
  struct Options {
    std::string mount_point;
    std::string store;                       // what df and /proc/mounts show as mounted
    std::vector<std::string> mount_options;  // of -o: "allow_other", "ro" ...
    unsigned max_threads = 256;
  };

  /// Throws Failure with EINVAL if an option is not known. `tree` must outlive the session.
  Session(ctlfs::Tree& tree, Options options);
  /// Unmounts.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Throws Failure. From here on users wait for run().
  void mount();

  /// Serves until the mount is gone from this mount namespace (also by umount -l, also if files are open), or
  /// stop(). Returns when every request that was taken has been answered. Calls `ready` once the mount
  /// answers, and is not touched by the session itself any more, and `ending` when that is over, before
  /// whoever reads .ctl/events is given the end of it.
  void run(const std::function<void()>& ready = {}, const std::function<void()>& ending = {});

  /// Makes run() return, also one that is called later. Async-signal-safe.
  void stop() noexcept;

  /// Unmounts (lazily) if it is still mounted. What is open afterwards gets ENOTCONN.
  void unmount() noexcept;

  /// Whether it is not mounted: not yet, or not any more.
  bool unmounted() const noexcept;

  /// Held, umount says "target is busy", as it should while a disk is used; umount -l does not mind. Released
  /// by `held` = false.
  void hold(bool held);

 private:
  struct Destroy {
    void operator()(fuse_session* session) const;
  };

  const Options options_;
  const MountOptions mount_options_;
  ctlfs::Tree& tree_;
  const Fd stop_event_;  // raised: run() is to end
  const Fd loop_event_;  // raised: no request is served any more
  std::unique_ptr<StreamReads> streams_;
  const std::unique_ptr<Served> served_;
  std::unique_ptr<fuse_session, Destroy> session_;
  std::optional<MountPoint> mount_point_;
  Fd holder_;
};

}  // namespace tcmufs::fuse
