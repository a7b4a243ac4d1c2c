#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "device/completion.h"
#include "scsi/logical_unit.h"
#include "store/block_store.h"
#include "sys/fd.h"
#include "volume/engine.h"

namespace tcmufs::device {

/// Carries jobs out on a store whose operations end later, as many at once as there are. What is more than a
/// read, a write or a flush is carried out in the calling thread, alone, on `waiting`, which is the same
/// store.
class AsyncEngine final : public volume::Engine {
 public:
  AsyncEngine(scsi::LogicalUnit& unit, store::BlockStore& waiting, std::shared_ptr<AsyncBlockStore> store);
  /// No job may be left.
  ~AsyncEngine() override = default;

  void submit(std::span<volume::Job* const> jobs) noexcept override;
  std::span<volume::Job* const> reap() noexcept override;
  bool idle() const noexcept override { return under_way_ == 0 && done_.empty(); }
  int fd() const noexcept override { return event_.number(); }
  void wait() noexcept override;
  std::string name() const override { return "asynchronous"; }

 private:
  using Step = scsi::LogicalUnit::Step;

  /// A job's transfer, or its flush: ends when all its pieces have.
  struct Transfer final : CompletionParts::Operation {
    void ended(std::error_code piece_error) noexcept override;

    AsyncEngine* engine = nullptr;
    volume::Job* job = nullptr;
    Step step = Step::transfer;
    std::error_code error;  // of the piece that failed first; guarded by engine->mutex_, as is pieces
    std::size_t pieces = 0;
  };

  void begin(volume::Job& job) noexcept;
  template <typename BeginPiece>
  void begin_pieces(Transfer& transfer, std::span<const iovec> pieces, BeginPiece begin_piece) noexcept;
  Transfer& new_transfer(volume::Job& job) noexcept;
  void begin_transfer(Transfer& transfer) noexcept;
  void begin_flush(Transfer& transfer) noexcept;
  void collect() noexcept;
  void transfer_ended(Transfer& transfer) noexcept;
  void give_back(volume::Job& job) noexcept { done_.push_back(&job); }
  void wait_for_all() noexcept;

  scsi::LogicalUnit& unit_;
  store::BlockStore& waiting_;
  const std::shared_ptr<AsyncBlockStore> store_;
  Fd event_;
  std::deque<Transfer> pool_;  // never shrinks: a Transfer keeps its address
  std::vector<Transfer*> free_;
  std::size_t under_way_ = 0;
  std::vector<Transfer*> failed_;  // to be looked into
  std::vector<volume::Job*> done_;
  std::vector<volume::Job*> given_;
  std::vector<Transfer*> collected_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Transfer*> ended_;  // guarded by mutex_
};

}  // namespace tcmufs::device
