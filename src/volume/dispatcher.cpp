#include "volume/dispatcher.h"

#include <utility>

#include "volume/clock.h"

namespace tcmufs::volume {

namespace {

// Commands taken before the first answers are given back: enough to share the kick, few enough not to be
// waited for.
constexpr std::size_t batch_limit = 32;
constexpr std::size_t job_limit = InFlight::capacity;  // under way at once

tcmu::RingResponse ring_response(const scsi::Response& response) {
  return {static_cast<u8>(response.status), response.sense.span(), response.data_in_bytes};
}

}  // namespace

Dispatcher::Dispatcher(std::span<std::byte> memory, scsi::LogicalUnit& unit, Engine& engine,
                       Statistics& statistics, tcmu::StoreObserver* observer)
    : unit_(unit),
      engine_(engine),
      statistics_(statistics),
      in_flight_(statistics.commands_in_flight()),
      ring_(memory, observer) {
  batch_.reserve(batch_limit);
  answered_.reserve(batch_limit);
  free_jobs_.reserve(job_limit);
}

bool Dispatcher::can_take() const noexcept {
  return !free_jobs_.empty() || jobs_.size() < job_limit;
}

std::variant<scsi::Response, scsi::Plan> Dispatcher::begin(const tcmu::RingCommand& command) noexcept {
  if (engine_.unplanned()) return scsi::Plan::compound(nullptr);
  return unit_.start({command.cdb_bytes(), command.buffer});
}

u32 Dispatcher::take(u64 now_ns) noexcept {
  taken_ns_ = now_ns;
  batch_.clear();
  u32 taken = 0;
  while (taken < batch_limit && can_take()) {
    if (free_jobs_.empty()) {
      jobs_.push_back(std::make_unique<Job>());
      jobs_.back()->ring = &ring_;
      jobs_.back()->slot = jobs_.size() - 1;
      free_jobs_.push_back(jobs_.back().get());
    }
    tcmu::RingCommand* command = ring_.take();
    if (command == nullptr) break;
    ++taken;
    auto outcome = begin(*command);
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
    in_flight_.begin(job->slot, std::span(command->cdb).first<16>(), taken_ns_);
    batch_.push_back(job);
  }
  if (taken > 0) statistics_.batch_taken(ring_.in_flight());
  if (!batch_.empty()) engine_.submit(batch_);
  return taken;
}

void Dispatcher::finish() noexcept {
  const auto finished = engine_.reap();
  if (finished.empty() && answered_.empty()) return;
  const u64 now = now_ns();
  for (Job* job : finished) {
    in_flight_.end(job->slot);
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

}  // namespace tcmufs::volume
