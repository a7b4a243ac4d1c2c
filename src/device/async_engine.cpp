#include "device/async_engine.h"

#include "device/errors.h"

namespace tcmufs::device {

using scsi::Plan;
using volume::Job;

AsyncEngine::AsyncEngine(scsi::LogicalUnit& unit, store::BlockStore& waiting,
                         std::shared_ptr<AsyncBlockStore> store)
    : unit_(unit), waiting_(waiting), store_(std::move(store)), event_(make_event()) {}

void AsyncEngine::submit(std::span<Job* const> jobs) noexcept {
  for (Job* job : jobs) begin(*job);
}

std::span<Job* const> AsyncEngine::reap() noexcept {
  collect();
  while (!failed_.empty()) {
    Transfer& transfer = *failed_.back();
    failed_.pop_back();
    Job& job = *transfer.job;
    const std::error_code error = transfer.error;
    free_.push_back(&transfer);
    // Which block it was is found out with nothing else under way.
    wait_for_all();
    job.response = unit_.complete(job.plan, Step::transfer, error, job.scsi_command(), waiting_);
    give_back(job);
  }
  given_.swap(done_);
  done_.clear();
  return given_;
}

void AsyncEngine::wait() noexcept {
  if (idle() || !done_.empty()) return;
  std::unique_lock held(mutex_);
  changed_.wait(held, [this] { return !ended_.empty(); });
}

void AsyncEngine::begin(Job& job) noexcept {
  const Plan& plan = job.plan;
  const bool moves = (plan.kind == Plan::Kind::read && !plan.flush) || plan.kind == Plan::Kind::write;
  if (moves && plan.range.end_bytes() <= waiting_.size_bytes()) return begin_transfer(new_transfer(job));
  if (plan.kind == Plan::Kind::flush && store_->has_write_cache()) return begin_flush(new_transfer(job));
  wait_for_all();
  job.response = unit_.execute(plan, job.scsi_command(), waiting_);
  give_back(job);
}

AsyncEngine::Transfer& AsyncEngine::new_transfer(Job& job) noexcept {
  if (free_.empty()) free_.push_back(&pool_.emplace_back());
  Transfer& transfer = *free_.back();
  free_.pop_back();
  transfer.engine = this;
  transfer.job = &job;
  ++under_way_;
  return transfer;
}

void AsyncEngine::begin_transfer(Transfer& transfer) noexcept {
  const Job& job = *transfer.job;
  transfer.step = Step::transfer;
  u64 offset = job.plan.range.offset_bytes();
  begin_pieces(transfer, job.plan.buffer(job.command->buffer), [&](const iovec& piece, Completion done) {
    auto* const bytes = static_cast<std::byte*>(piece.iov_base);
    const u64 at = offset;
    offset += piece.iov_len;
    if (piece.iov_len == 0) return done();
    if (job.plan.kind == Plan::Kind::read) {
      store_->read(at, {bytes, piece.iov_len}, std::move(done));
    } else {
      store_->write(at, {bytes, piece.iov_len}, std::move(done));
    }
  });
}

// One piece more than there are, so that it does not end before all of them have begun.
template <typename BeginPiece>
void AsyncEngine::begin_pieces(Transfer& transfer, std::span<const iovec> pieces,
                               BeginPiece begin_piece) noexcept {
  transfer.error = {};
  transfer.pieces = pieces.size() + 1;
  std::error_code thrown;
  for (const iovec& piece : pieces) {
    const auto error = attempt([&] { begin_piece(piece, CompletionParts::make(transfer)); });
    if (!thrown) thrown = error;
  }
  // What was thrown says more than that its completion was destroyed.
  if (thrown) {
    const std::lock_guard held(mutex_);
    transfer.error = thrown;
  }
  transfer.ended({});
}

void AsyncEngine::begin_flush(Transfer& transfer) noexcept {
  transfer.step = Step::flush;
  const iovec nothing{};
  begin_pieces(transfer, {&nothing, 1},
               [&](const iovec&, Completion done) { store_->flush(std::move(done)); });
}

void AsyncEngine::Transfer::ended(std::error_code piece_error) noexcept {
  const std::lock_guard held(engine->mutex_);
  if (!error) error = piece_error;
  if (--pieces > 0) return;
  engine->ended_.push_back(this);
  if (engine->ended_.size() == 1) raise_event(engine->event_.number());
  engine->changed_.notify_one();
}

void AsyncEngine::collect() noexcept {
  {
    const std::lock_guard held(mutex_);
    collected_.swap(ended_);
    clear_event(event_.number());
  }
  for (Transfer* transfer : collected_) transfer_ended(*transfer);
  collected_.clear();
}

void AsyncEngine::transfer_ended(Transfer& transfer) noexcept {
  Job& job = *transfer.job;
  const bool moved = transfer.step == Step::transfer && !transfer.error;
  if (moved && job.plan.flush && store_->has_write_cache()) return begin_flush(transfer);
  --under_way_;
  if (transfer.step == Step::transfer && transfer.error) return failed_.push_back(&transfer);
  job.response = unit_.complete(job.plan, transfer.step, transfer.error);
  free_.push_back(&transfer);
  give_back(job);
}

void AsyncEngine::wait_for_all() noexcept {
  while (under_way_ > 0) {
    {
      std::unique_lock held(mutex_);
      changed_.wait(held, [this] { return !ended_.empty(); });
    }
    collect();
  }
}

}  // namespace tcmufs::device
