#include "fuse/stream_reads.h"

#include <fuse_lowlevel.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include "sys/quiet_thread.h"

namespace tcmufs::fuse {

namespace {

constexpr std::size_t kMostAtOnce = 64 << 10;

}  // namespace

void StreamReads::DestroyPoll::operator()(fuse_pollhandle* handle) const {
  fuse_pollhandle_destroy(handle);
}

StreamReads::StreamReads(EventRing& ring) : ring_(ring), changed_(make_event()) {
  ring_.listen(changed_.number());
  thread_ = quiet_thread([this] { work(); });
}

StreamReads::~StreamReads() {
  ring_.unlisten(changed_.number());
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  raise_event(changed_.number());
  thread_.join();
}

void StreamReads::opened(u64 handle) {
  const std::lock_guard lock(mutex_);
  handles_.emplace(handle, false);
}

void StreamReads::released(u64 handle) noexcept {
  Poll dropped;  // destroyed with the mutex unlocked
  const std::lock_guard lock(mutex_);
  if (handles_.erase(handle) == 0) return;
  if (const auto at = polls_.find(handle); at != polls_.end()) {
    dropped = std::move(at->second);
    polls_.erase(at);
  }
  told_.notify_all();
}

void StreamReads::read(fuse_req* request, u64 handle, Reader reader, std::size_t size, bool nonblocking) {
  const Read read{request, handle, std::move(reader), size};
  if (answer(read)) return;
  if (nonblocking) {
    fuse_reply_err(request, EAGAIN);
    return;
  }
  // Before it is put aside: afterwards the request is not ours any more.
  fuse_req_interrupt_func(request, interrupted, this);
  while (!put_aside(read)) {
    if (answer(read)) return;
  }
}

/// False: there is something to read by now.
bool StreamReads::put_aside(const Read& read) {
  {
    const std::lock_guard lock(mutex_);
    if (fuse_req_interrupted(read.request) == 0) {
      if (ended_ || read.reader->ready()) return false;
      reads_.push_back(read);
      return true;
    }
  }
  fuse_reply_err(read.request, EINTR);
  return true;
}

/// libfuse calls this when the kernel takes a request back; also from within fuse_req_interrupt_func(), after
/// which the request is still used: so one that has not been put aside is left alone.
void StreamReads::interrupted(fuse_req* request, void* self) {
  auto& streams = *static_cast<StreamReads*>(self);
  Read found;
  {
    const std::lock_guard lock(streams.mutex_);
    const auto at = std::find_if(streams.reads_.begin(), streams.reads_.end(),
                                 [&](const Read& read) { return read.request == request; });
    if (at == streams.reads_.end()) return;
    found = std::move(*at);
    streams.reads_.erase(at);
  }
  fuse_reply_err(found.request, EINTR);
}

/// False: there is nothing to answer with.
bool StreamReads::answer(const Read& read) noexcept {
  const std::size_t size = std::min(read.size, kMostAtOnce);
  const std::unique_ptr<std::byte[]> buffer(new (std::nothrow) std::byte[size]);
  if (!buffer) {
    fuse_reply_err(read.request, ENOMEM);
    return true;
  }
  // In this order: what comes before the end is never lost.
  const bool over = ended();
  const std::optional<std::size_t> length = read.reader->read({buffer.get(), size});
  if (!length && !over) return false;
  fuse_reply_buf(read.request, reinterpret_cast<const char*>(buffer.get()), length.value_or(0));
  if (length.value_or(0) > 0) return true;
  const std::lock_guard lock(mutex_);
  if (const auto at = handles_.find(read.handle); at != handles_.end()) at->second = true;
  told_.notify_all();
  return true;
}

void StreamReads::poll(fuse_req* request, u64 handle, const Reader& reader, fuse_pollhandle* notified) {
  Poll dropped;  // destroyed with the mutex unlocked
  dropped.notified.reset(notified);
  if (notified != nullptr) {
    // Before the look at the reader: what comes in between is told.
    const std::lock_guard lock(mutex_);
    if (handles_.contains(handle)) {
      dropped = std::exchange(polls_[handle], Poll{reader, std::move(dropped.notified)});
    }
  }
  const bool over = ended();
  const bool ready = reader->ready();
  const bool at_end = reader->at_end() || (over && !ready);
  unsigned revents = 0;
  if (ready || at_end) revents |= POLLIN | POLLRDNORM;
  if (at_end) revents |= POLLHUP;
  fuse_reply_poll(request, revents);
}

void StreamReads::end(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  ended_ = true;
  raise_event(changed_.number());
  told_.wait_until(lock, deadline.point(), [this] {
    return std::all_of(handles_.begin(), handles_.end(), [](const auto& handle) { return handle.second; });
  });
}

bool StreamReads::ended() {
  const std::lock_guard lock(mutex_);
  return ended_;
}

void StreamReads::work() {
  pollfd waited{changed_.number(), POLLIN, 0};
  for (;;) {
    ::poll(&waited, 1, -1);
    clear_event(changed_.number());
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
    }
    answer_ready();
  }
}

void StreamReads::answer_ready() {
  std::vector<Read> reads;
  std::vector<Poll> polls;
  {
    const std::lock_guard lock(mutex_);
    const auto ready = [this](const Reader& reader) { return ended_ || reader->ready(); };
    const auto waits = std::stable_partition(reads_.begin(), reads_.end(),
                                             [&](const Read& read) { return ready(read.reader); });
    reads.assign(std::make_move_iterator(reads_.begin()), std::make_move_iterator(waits));
    reads_.erase(reads_.begin(), waits);
    for (auto at = polls_.begin(); at != polls_.end();) {
      const auto next = std::next(at);
      if (ready(at->second.reader)) {
        polls.push_back(std::move(at->second));
        polls_.erase(at);
      }
      at = next;
    }
  }
  for (const Read& read : reads) {
    // Another read of the same file may have taken what there was.
    while (!answer(read) && !put_aside(read)) continue;
  }
  for (const Poll& poll : polls) fuse_lowlevel_notify_poll(poll.notified.get());
}

}  // namespace tcmufs::fuse
