#include "volume/server.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "sys/error.h"
#include "volume/processors.h"

namespace tcmufs::volume {

namespace {

// Commands taken before the first answers are given back: enough to share the kick, few enough not to be
// waited for.
constexpr std::size_t batch_limit = 32;
constexpr std::size_t job_limit = 128;  // under way at once

// The kernel counts notices in 32 bits, at most one per command, and one at which the count is what was
// acknowledged last would make no edge.
constexpr u32 notice_limit = 4096;

constexpr int courteous_niceness = 5;

tcmu::RingResponse ring_response(const scsi::Response& response) {
  return {static_cast<u8>(response.status), response.sense.span(), response.data_in_bytes};
}

u64 now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
}

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
               std::function<void(const std::string&)> failed)
    : doorbell_(doorbell),
      unit_(unit),
      engine_(engine),
      statistics_(statistics),
      failed_(std::move(failed)),
      ring_(doorbell.memory()),
      pace_(usable_processors() != 1),
      stop_(make_event()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw_errno("cannot make an epoll descriptor");
  watch(epoll_.number(), doorbell_.fd(), EPOLLIN | EPOLLET);
  watch(epoll_.number(), stop_.number(), EPOLLIN);
  if (engine_.fd() >= 0) watch(epoll_.number(), engine_.fd(), EPOLLIN);
  batch_.reserve(batch_limit);
  answered_.reserve(batch_limit);
  free_jobs_.reserve(job_limit);
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
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
    finish_jobs();
  }
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
  if (can_take() && ring_.waiting()) return !stopping_;
  std::array<epoll_event, 3> events{};
  const int count = ::epoll_wait(epoll_.number(), events.data(), events.size(), -1);
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
  taken_ns_ = now_ns();
  while (present && !ring_.broken()) {
    const u32 taken = take_batch();
    finish_jobs();
    present = give_back();
    if (taken == 0) break;
    unacknowledged_ += taken;
    keep_pace(taken);
    taken_ns_ = idle_since_ns_;
  }
  return present;
}

bool Server::can_take() const noexcept {
  return !free_jobs_.empty() || jobs_.size() < job_limit;
}

u32 Server::take_batch() noexcept {
  batch_.clear();
  u32 taken = 0;
  while (taken < batch_limit && can_take()) {
    if (free_jobs_.empty()) {
      jobs_.push_back(std::make_unique<Job>());
      jobs_.back()->ring = &ring_;
      free_jobs_.push_back(jobs_.back().get());
    }
    tcmu::RingCommand* command = ring_.take();
    if (command == nullptr) break;
    ++taken;
    auto outcome = unit_.start({command->cdb_bytes(), command->buffer});
    const Operation operation = operation_of(command->cdb_bytes());
    if (const auto* response = std::get_if<scsi::Response>(&outcome)) {
      answered_.push_back({operation, response->status});
      ring_.finish(*command, ring_response(*response));
      continue;
    }
    Job* job = free_jobs_.back();
    free_jobs_.pop_back();
    job->command = command;
    job->plan = std::move(std::get<scsi::Plan>(outcome));
    job->operation = operation;
    job->taken_ns = taken_ns_;
    batch_.push_back(job);
  }
  if (taken > 0) statistics_.batch_taken(ring_.in_flight());
  if (!batch_.empty()) engine_.submit(batch_);
  return taken;
}

void Server::finish_jobs() noexcept {
  const auto finished = engine_.reap();
  if (finished.empty() && answered_.empty()) return;
  const u64 now = now_ns();
  for (Job* job : finished) {
    statistics_.finished(job->operation, bytes_of(job->plan), job->response.status, now - job->taken_ns);
    ring_.finish(*job->command, ring_response(job->response));
    free_jobs_.push_back(job);
  }
  for (const Answered& command : answered_) {
    statistics_.finished(command.operation, 0, command.status, now - taken_ns_);
  }
  answered_.clear();
  statistics_.set_in_flight(ring_.in_flight());
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
