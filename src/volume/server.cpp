#include "volume/server.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sys/error.h"
#include "sys/quiet_thread.h"
#include "volume/clock.h"
#include "volume/processors.h"

namespace tcmufs::volume {

namespace {

// The kernel counts notices in 32 bits, at most one per command, and one at which the count is what was
// acknowledged last would make no edge.
constexpr u32 notice_limit = 4096;

constexpr int courteous_niceness = 5;
constexpr int looking_interval_ms = SpaceWait::busy_after_ns / 1'000'000;

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void watch(int epoll, int fd, u32 events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("cannot wait for a ring");
}

}  // namespace

Server::Server(Doorbell& doorbell, scsi::LogicalUnit& unit, Engine& engine, Statistics& statistics,
               std::function<void(const std::string&)> failed, tcmu::StoreObserver* observer)
    : doorbell_(doorbell),
      engine_(engine),
      statistics_(statistics),
      failed_(std::move(failed)),
      dispatcher_(doorbell.memory(), unit, engine, statistics, observer),
      ring_(dispatcher_.ring()),
      pace_(usable_processors() != 1),
      stop_(make_event()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw_errno("cannot make an epoll descriptor");
  watch(epoll_.number(), doorbell_.fd(), EPOLLIN | EPOLLET);
  watch(epoll_.number(), stop_.number(), EPOLLIN);
  if (engine_.fd() >= 0) watch(epoll_.number(), engine_.fd(), EPOLLIN);
  thread_ = quiet_thread([this] { run(); });
}

Server::~Server() {
  stopping_ = true;
  raise_event(stop_.number());
  thread_.join();
}

void Server::run() noexcept {
  // A predecessor may have died between giving an answer back and saying so.
  present_ = doorbell_.acknowledge() && doorbell_.notify() && serve();
  bool stopped = false;
  while (present_ && !ring_.broken() && !stopped) {
    poll_ring();
    stopped = !wait();
    present_ = present_ && serve();
  }
  // The engine uses the ring's data area.
  while (!engine_.idle()) {
    engine_.wait();
    dispatcher_.finish();
  }
  dispatcher_.let_go();
  if (present_ && !ring_.broken()) present_ = give_back();
  statistics_.set_in_flight(0);
  if (stopped) return;
  failed_(ring_.broken() ? "the kernel's command ring broke a rule: " + ring_.fault()
                         : std::string("its TCMU device was removed by somebody else"));
}

/// False: it is to stop.
bool Server::wait() noexcept {
  if (unacknowledged_ >= notice_limit) {
    unacknowledged_ = 0;
    present_ = doorbell_.acknowledge();
    return !stopping_;  // it may have been a notice of what has not been looked at
  }
  if (dispatcher_.can_take() && ring_.waiting()) return !stopping_;
  std::array<epoll_event, 3> events{};
  const int count = ::epoll_wait(epoll_.number(), events.data(), events.size(),
                                 dispatcher_.must_look() ? looking_interval_ms : -1);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == stop_.number()) return false;
    if (event.data.fd != doorbell_.fd()) continue;
    present_ = doorbell_.present(event.events);
  }
  return true;
}

// Stops looking as soon as there is something else to wait for.
void Server::poll_ring() noexcept {
  const u64 patience_ns = patience_ns_;
  if (manner_ != Manner::polling || patience_ns == 0 || !engine_.idle()) return;
  constexpr int looks = 32;
  do {
    for (int i = 0; i < looks; ++i) {
      if (ring_.waiting()) return;
      relax();
    }
  } while (now_ns() - idle_since_ns_ < patience_ns);
}

bool Server::serve() noexcept {
  bool present = true;
  u64 now = now_ns();
  while (present && !ring_.broken()) {
    const u32 taken = dispatcher_.take(now);
    dispatcher_.finish();
    present = give_back();
    if (taken == 0) break;
    unacknowledged_ += taken;
    keep_pace(taken);
    now = idle_since_ns_;
  }
  return present;
}

bool Server::give_back() noexcept {
  if (!ring_.commit()) return true;
  statistics_.kicked();
  return doorbell_.notify();
}

void Server::keep_pace(u32 commands) noexcept {
  idle_since_ns_ = now_ns();
  pace_.worked(commands, idle_since_ns_);
  if (pace_.manner() == manner_) return;
  const bool was_courteous = manner_ == Manner::courteous;
  manner_ = pace_.manner();
  const bool courteous = manner_ == Manner::courteous;
  if (courteous == was_courteous) return;
  // Without the right to it nothing changes, and then it does not win.
  static_cast<void>(
      ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), courteous ? courteous_niceness : 0));
}

}  // namespace tcmufs::volume
