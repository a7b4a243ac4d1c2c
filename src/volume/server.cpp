#include "volume/server.h"

#include <poll.h>
#include <pthread.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace tcmufs::volume {

namespace {

// Commands executed before their answers are given back: enough to share the kick, few enough not to be
// waited for.
constexpr std::size_t batch_limit = 32;

tcmu::RingResponse ring_response(const scsi::Response& response) {
  return {static_cast<u8>(response.status), response.sense.span(), response.data_in_bytes};
}

}  // namespace

Server::Server(Doorbell& doorbell, scsi::LogicalUnit& unit, Engine& engine,
               std::function<void(const std::string&)> failed)
    : doorbell_(doorbell),
      unit_(unit),
      engine_(engine),
      failed_(std::move(failed)),
      ring_(doorbell.memory()),
      stop_(make_event()) {
  batch_.reserve(batch_limit);
  for (std::size_t i = 0; i < batch_limit; ++i) {
    jobs_.push_back(std::make_unique<Job>());
    jobs_.back()->ring = &ring_;
    free_jobs_.push_back(jobs_.back().get());
  }
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Server::~Server() {
  raise_event(stop_.number());
  thread_.join();
}

void Server::run() noexcept {
  // A predecessor may have died between giving an answer back and saying so.
  bool present = doorbell_.notify() && serve();
  std::array<pollfd, 2> watched = {pollfd{doorbell_.fd(), POLLIN, 0}, pollfd{stop_.number(), POLLIN, 0}};
  while (present && !ring_.broken()) {
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
    if (watched[1].revents != 0) return;
    if (watched[0].revents != 0) present = doorbell_.acknowledge() && serve();
  }
  failed_(ring_.broken() ? "the kernel's command ring broke a rule: " + ring_.fault()
                         : std::string("its TCMU device was removed by somebody else"));
}

bool Server::serve() noexcept {
  bool present = true;
  while (present && take_batch()) {
    finish_jobs();
    present = give_back();
  }
  return present && give_back();
}

bool Server::take_batch() noexcept {
  batch_.clear();
  std::size_t taken = 0;
  while (taken < batch_limit && !free_jobs_.empty()) {
    tcmu::RingCommand* command = ring_.take();
    if (command == nullptr) break;
    ++taken;
    auto outcome = unit_.start({command->cdb_bytes(), command->buffer});
    if (const auto* response = std::get_if<scsi::Response>(&outcome)) {
      ring_.finish(*command, ring_response(*response));
      continue;
    }
    Job* job = free_jobs_.back();
    free_jobs_.pop_back();
    job->command = command;
    job->plan = std::move(std::get<scsi::Plan>(outcome));
    batch_.push_back(job);
  }
  if (!batch_.empty()) engine_.submit(batch_);
  return taken > 0;
}

void Server::finish_jobs() noexcept {
  for (Job* job : engine_.reap()) {
    ring_.finish(*job->command, ring_response(job->response));
    free_jobs_.push_back(job);
  }
}

bool Server::give_back() noexcept {
  return !ring_.commit() || doorbell_.notify();
}

}  // namespace tcmufs::volume
