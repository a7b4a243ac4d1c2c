#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "sys/integers.h"

struct fuse_buf;
struct fuse_session;

namespace tcmufs::fuse {

/// Threads that serve a session's requests. One at a time waits for a request; as it takes one, another takes
/// its place, made if there is none: requests that block for long (a close() that attaches) hold up no others
/// until `max_threads` of them do.
class RequestLoop {
 public:
  /// `stop_event` (an eventfd) ends it when it is readable, and is raised when the kernel ends the session.
  /// `closing` is told each handle that is released, in the order of the kernel, before any later request is
  /// read.
  RequestLoop(fuse_session* session, int stop_event, unsigned max_threads, std::function<void(u64)> closing);
  /// Waits until all threads have ended, which those do that have finished their request after the stop.
  ~RequestLoop();
  RequestLoop(const RequestLoop&) = delete;
  RequestLoop& operator=(const RequestLoop&) = delete;

 private:
  void add_thread();
  void work();
  bool receive(fuse_buf& request);
  bool take(fuse_buf& request);
  bool stay();

  fuse_session* const session_;
  const int stop_event_;
  const unsigned max_threads_;
  const std::function<void(u64)> closing_;

  std::mutex turn_;  // held by the thread that waits for a request; before mutex_
  std::mutex mutex_;
  std::map<std::thread::id, std::thread> threads_;  // guarded by mutex_
  std::vector<std::thread> retired_;                // have ended or are about to; guarded by mutex_
  unsigned idle_ = 0;                               // threads without a request; guarded by mutex_
};

}  // namespace tcmufs::fuse
