#include "fuse/request_loop.h"

#include <fuse_lowlevel.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "fuse/request.h"
#include "sys/fd.h"
#include "sys/quiet_thread.h"

namespace tcmufs::fuse {

namespace {

constexpr unsigned kSpareThreads = 8;

}  // namespace

RequestLoop::RequestLoop(fuse_session* session, int stop_event, unsigned max_threads,
                         std::function<void(u64)> closing)
    : session_(session), stop_event_(stop_event), max_threads_(max_threads), closing_(std::move(closing)) {
  const std::lock_guard lock(mutex_);
  add_thread();
}

RequestLoop::~RequestLoop() {
  for (;;) {
    std::vector<std::thread> ending;
    {
      const std::lock_guard lock(mutex_);
      ending.swap(retired_);
      for (auto& [id, thread] : threads_) ending.push_back(std::move(thread));
      threads_.clear();
    }
    if (ending.empty()) return;
    for (auto& thread : ending) thread.join();
  }
}

/// mutex_ locked, so that the thread finds itself among threads_.
void RequestLoop::add_thread() {
  std::thread thread = quiet_thread([this] { work(); });
  const auto id = thread.get_id();
  threads_.emplace(id, std::move(thread));
  ++idle_;
}

void RequestLoop::work() {
  fuse_buf request{};
  while (take(request)) {
    fuse_session_process_buf(session_, &request);
    if (!stay()) break;
  }
  std::free(request.mem);
}

/// Waits for a request; false: the session has ended.
bool RequestLoop::take(fuse_buf& request) {
  {
    const std::lock_guard turn(turn_);
    if (!receive(request)) return false;
    const auto released = released_handle({static_cast<const std::byte*>(request.mem), request.size});
    if (released) closing_(*released);
  }
  std::vector<std::thread> ended;
  const std::lock_guard lock(mutex_);
  ended.swap(retired_);
  for (auto& thread : ended) thread.join();
  --idle_;
  if (idle_ == 0 && threads_.size() < max_threads_) {
    try {
      add_thread();
    } catch (const std::system_error& error) {
      fuse_log(FUSE_LOG_WARNING, "tcmufs: cannot start another thread: %s\n", error.what());
    }
  }
  return true;
}

bool RequestLoop::receive(fuse_buf& request) {
  std::array<pollfd, 2> waited{{{fuse_session_fd(session_), POLLIN, 0}, {stop_event_, POLLIN, 0}}};
  for (;;) {
    if (poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) break;
    if (waited[1].revents != 0) return false;
    const int length = fuse_session_receive_buf(session_, &request);
    if (length > 0) return true;
    if (length != -EAGAIN && length != -EINTR) break;
  }
  raise_event(stop_event_);
  return false;
}

/// False: there are enough waiting without this thread.
bool RequestLoop::stay() {
  const std::lock_guard lock(mutex_);
  const auto self = threads_.find(std::this_thread::get_id());
  if (idle_ >= kSpareThreads && self != threads_.end()) {
    retired_.push_back(std::move(self->second));
    threads_.erase(self);
    return false;
  }
  ++idle_;
  return true;
}

}  // namespace tcmufs::fuse
