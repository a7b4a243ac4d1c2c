#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "sys/deadline.h"
#include "sys/event_ring.h"
#include "sys/fd.h"
#include "sys/integers.h"

struct fuse_req;
struct fuse_pollhandle;

namespace tcmufs::fuse {

/// Reads and polls of files that go on (.ctl/events). A read for which there is nothing yet is put aside, and
/// answered later by the one thread that all of them share; so is who polls told. All members but those for
/// the beginning and the end may be called from any thread.
class StreamReads {
 public:
  explicit StreamReads(EventRing& ring);
  ~StreamReads();
  StreamReads(const StreamReads&) = delete;
  StreamReads& operator=(const StreamReads&) = delete;

  /// The handle of such a file exists from here on,
  void opened(u64 handle);
  /// until here.
  void released(u64 handle) noexcept;

  /// Answers the request: at once if there is something or `nonblocking`; EINTR when it is interrupted.
  void read(fuse_req* request, u64 handle, std::shared_ptr<EventRing::Reader> reader, std::size_t size,
            bool nonblocking);
  /// Answers the request at once. `notified`, which may be nullptr, is told of what comes later.
  void poll(fuse_req* request, u64 handle, const std::shared_ptr<EventRing::Reader>& reader,
            fuse_pollhandle* notified);

  /// From now on every read gets what is left and then the end of the file, also those that wait. Returns
  /// when all readers have been told, or at the deadline.
  void end(const Deadline& deadline);

 private:
  using Reader = std::shared_ptr<EventRing::Reader>;
  struct DestroyPoll {
    void operator()(fuse_pollhandle* handle) const;
  };
  struct Read {
    fuse_req* request = nullptr;
    u64 handle = 0;
    Reader reader;
    std::size_t size = 0;
  };
  struct Poll {
    Reader reader;
    std::unique_ptr<fuse_pollhandle, DestroyPoll> notified;
  };

  static void interrupted(fuse_req* request, void* self);
  void work();
  bool answer(const Read& read) noexcept;
  bool put_aside(const Read& read);
  void answer_ready();
  bool ended();

  EventRing& ring_;
  const Fd changed_;  // an eventfd: of the ring, or here

  std::mutex mutex_;  // guards what follows. Taken by interrupted(), so libfuse is asked nothing under it but
                      // fuse_req_interrupted()
  std::condition_variable told_;
  std::vector<Read> reads_;
  std::map<u64, Poll> polls_;    // by handle
  std::map<u64, bool> handles_;  // whether the end has been told
  bool ended_ = false;           // for readers
  bool stopped_ = false;         // the thread is to end
  std::thread thread_;
};

}  // namespace tcmufs::fuse
