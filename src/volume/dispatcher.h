#pragma once

#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "scsi/logical_unit.h"
#include "tcmu/ring.h"
#include "volume/engine.h"
#include "volume/statistics.h"

namespace tcmufs::volume {

/// Brings the commands of one ring to unit and engine, and their answers back into the ring: all that a
/// Server does between waking and telling the kernel. Writes for which the store has no room it holds
/// (SpaceWait). Waits for nothing, and allocates nothing once every job there may be has been made. Used by
/// one thread at a time.
///
/// A COMPARE AND WRITE is alone: it begins when all that was taken before it has been answered, and nothing
/// is taken until it has been. A successor does again, in ring order, what this process has not answered when
/// it dies; a write that came before the comparison must not be among that, nor one that came after it.
class Dispatcher {
 public:
  /// Throws Failure (EPROTO) for a mailbox that cannot be used. `observer` is the ring's.
  Dispatcher(std::span<std::byte> memory, scsi::LogicalUnit& unit, Engine& engine, Statistics& statistics,
             tcmu::StoreObserver* observer = nullptr);
  /// No command may be left in the engine, and none be held.
  ~Dispatcher() = default;
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Whether there is room for another command under way.
  bool can_take() const noexcept;
  /// Takes what the ring holds, a batch at most, and gives all its I/O to the engine at once; how many
  /// commands that were.
  u32 take(u64 now_ns) noexcept;
  /// Stores the answers to what the engine has finished.
  void finish() noexcept;

  /// Whether finish() is to be called within SpaceWait::busy_after_ns, though the engine may finish nothing.
  bool must_look() const noexcept { return !held_.empty() || space_.paused(); }
  /// Answers what waits for room, or to be alone: nobody tries it again here.
  void let_go() noexcept;

  tcmu::Ring& ring() noexcept { return ring_; }

 private:
  void hold(Job& job, u64 now_ns) noexcept;
  void look_at_held() noexcept;
  void answer_held() noexcept;
  void answer_busy(Job& job) noexcept;
  void answer_finished() noexcept;
  bool begin_alone() noexcept;
  void answer(Job& job) noexcept;

  struct Answered {  // at once
    Operation operation;
    scsi::Status status;
  };

  std::variant<scsi::Response, scsi::Plan> begin(const tcmu::RingCommand& command) noexcept;

  scsi::LogicalUnit& unit_;
  Engine& engine_;
  Statistics& statistics_;
  InFlight& in_flight_;
  SpaceWait& space_;
  tcmu::Ring ring_;
  std::vector<std::unique_ptr<Job>> jobs_;  // all there are
  std::vector<Job*> free_jobs_;
  std::vector<Job*> batch_;
  std::vector<Answered> answered_;
  std::vector<Job*> held_;   // writes that wait for room
  std::vector<Job*> again_;  // those that are tried once more
  Job* alone_ = nullptr;     // taken last, not answered
  bool alone_begun_ = false;
  u64 held_until_ns_ = 0;  // then they are answered
  u64 taken_ns_ = 0;       // when the batch was
};

}  // namespace tcmufs::volume
