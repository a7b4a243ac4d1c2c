#include "volume/dispatcher.h"

#include <utility>

#include "volume/clock.h"

namespace tcmufs::volume {

namespace {

// Commands taken before the first answers are given back: enough to share the kick, few enough not to be
// waited for.
constexpr std::size_t batch_limit = 32;
constexpr std::size_t job_limit = InFlight::capacity;  // under way at once

constexpr u8 compare_and_write = 0x89;  // SBC-3 5.2

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
      space_(statistics.space_wait()),
      ring_(memory, observer) {
  batch_.reserve(batch_limit);
  answered_.reserve(batch_limit);
  held_.reserve(job_limit);
  again_.reserve(job_limit);
  free_jobs_.reserve(job_limit);
}

bool Dispatcher::can_take() const noexcept {
  return alone_ == nullptr && (!free_jobs_.empty() || jobs_.size() < job_limit);
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
    if (command->cdb[0] == compare_and_write) {
      alone_ = job;
    } else if (space_.closed() && job->plan.only_writes()) {
      hold(*job, now_ns);
    } else {
      batch_.push_back(job);
    }
  }
  if (taken > 0) statistics_.batch_taken(ring_.in_flight());
  if (!batch_.empty()) engine_.submit(batch_);
  return taken;
}

void Dispatcher::finish() noexcept {
  if (must_look()) look_at_held();
  do {
    answer_finished();
  } while (begin_alone());
}

bool Dispatcher::begin_alone() noexcept {
  if (alone_ == nullptr || alone_begun_ || ring_.in_flight() > 1) return false;
  alone_begun_ = true;
  engine_.submit(std::span(&alone_, 1));
  return true;
}

void Dispatcher::answer_finished() noexcept {
  const auto finished = engine_.reap();
  if (finished.empty() && answered_.empty()) return;
  const u64 now = now_ns();
  for (Job* job : finished) {
    if (job->response.no_room && space_.refused(now)) {
      hold(*job, now);
      continue;
    }
    statistics_.finished(job->operation, bytes_of(job->plan), job->response.status, now - job->taken_ns);
    answer(*job);
  }
  for (const Answered& command : answered_) {
    statistics_.finished(command.operation, 0, command.status, now - taken_ns_);
  }
  answered_.clear();
  statistics_.set_in_flight(ring_.in_flight());
}

void Dispatcher::answer(Job& job) noexcept {
  if (&job == alone_) {
    alone_ = nullptr;
    alone_begun_ = false;
  }
  in_flight_.end(job.slot);
  ring_.finish(*job.command, ring_response(job.response));
  free_jobs_.push_back(&job);
}

void Dispatcher::hold(Job& job, u64 now_ns) noexcept {
  if (held_.empty()) held_until_ns_ = now_ns + SpaceWait::busy_after_ns;
  held_.push_back(&job);
}

void Dispatcher::look_at_held() noexcept {
  const u64 now = now_ns();
  space_.look(now);
  if (held_.empty()) return;
  if (!space_.closed()) {
    again_.swap(held_);
    engine_.submit(again_);
    again_.clear();
  } else if (now >= held_until_ns_) {
    answer_held();
  }
}

// It comes again, and is counted when it is done.
void Dispatcher::answer_busy(Job& job) noexcept {
  job.response = {.status = scsi::Status::busy, .data_in_bytes = {}, .sense = {}};
  answer(job);
}

void Dispatcher::answer_held() noexcept {
  for (Job* job : held_) answer_busy(*job);
  held_.clear();
}

void Dispatcher::let_go() noexcept {
  answer_held();
  if (alone_ != nullptr) answer_busy(*alone_);
  space_.stop();
}

}  // namespace tcmufs::volume
