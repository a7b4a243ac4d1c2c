#include "volume/dispatcher.h"

#include <utility>

namespace tcmufs::volume {

namespace {

// Commands taken before the first answers are given back: enough to share the kick, few enough not to be
// waited for.
constexpr std::size_t batch_limit = 32;
constexpr std::size_t job_limit = 128;  // under way at once

tcmu::RingResponse ring_response(const scsi::Response& response) {
  return {static_cast<u8>(response.status), response.sense.span(), response.data_in_bytes};
}

}  // namespace

Dispatcher::Dispatcher(std::span<std::byte> memory, scsi::LogicalUnit& unit, Engine& engine)
    : unit_(unit), engine_(engine), ring_(memory) {
  batch_.reserve(batch_limit);
  free_jobs_.reserve(job_limit);
}

bool Dispatcher::can_take() const noexcept {
  return !free_jobs_.empty() || jobs_.size() < job_limit;
}

u32 Dispatcher::take() noexcept {
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
  return taken;
}

void Dispatcher::finish() noexcept {
  for (Job* job : engine_.reap()) {
    ring_.finish(*job->command, ring_response(job->response));
    free_jobs_.push_back(job);
  }
}

}  // namespace tcmufs::volume
