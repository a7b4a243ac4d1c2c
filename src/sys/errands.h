#pragma once

#include <sys/types.h>

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "sys/fd.h"

namespace tcmufs {

using Arguments = std::vector<std::string>;

/// What an errand brings back.
struct Brought {
  std::string text;
  Fd file;
};

/// Something that may wait in the kernel for one of our own disks, beyond the reach of any signal. It knows
/// only what it is given, and may throw Failure.
using Errand = Brought (*)(const Arguments& arguments, const Fd& file);

/// Has it done by the ErrandProcess, if this process has one, and waits for the end of it; otherwise does it
/// here. Throws what the errand throws, as a Failure; EIO if its process died meanwhile. Any thread.
Brought run_errand(Errand errand, const Arguments& arguments, const Fd& file = {});

/// A second process, which goes on this one's errands as long as both live.
///
/// A process that is killed goes on to exist, with all it has open and mapped, until the last of its threads
/// is out of the kernel. Did a thread of ours wait for a disk that we serve, the ring would stay ours, nobody
/// else could serve it, and the wait would have no end. The second process has nothing of ours: this one dies
/// at once, the next takes its rings over, and whatever the second one waits for comes to its end.
class ErrandProcess {
 public:
  /// Forks: before this process has threads. One at a time. `log` is told if it dies, after which errands are
  /// done here; it may be called from any thread. Throws Failure.
  /// `sent` is called when an errand is on its way and nothing is known of it yet, by the thread that waits
  /// for it: for tests.
  explicit ErrandProcess(std::function<void(const std::string&)> log, std::function<void()> sent = {});
  /// When no errand is under way any more.
  ~ErrandProcess();
  ErrandProcess(const ErrandProcess&) = delete;
  ErrandProcess& operator=(const ErrandProcess&) = delete;

  pid_t pid() const noexcept { return pid_; }

 private:
  friend Brought run_errand(Errand errand, const Arguments& arguments, const Fd& file);

  Fd take_connection();
  void keep_connection(Fd connection);
  void died();

  std::function<void(const std::string&)> log_;
  std::function<void()> sent_;
  pid_t pid_ = -1;
  std::mutex mutex_;
  Fd socket_;             // guarded by mutex_; closed once it is dead
  std::vector<Fd> idle_;  // guarded by mutex_: each leads to a thread that waits for an errand
};

}  // namespace tcmufs
