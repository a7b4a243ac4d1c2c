#pragma once

#include <span>
#include <string>
#include <vector>

#include "scsi/logical_unit.h"
#include "tcmu/ring.h"
#include "volume/statistics.h"

namespace tcmufs::volume {

/// A command that takes I/O, between ring and store. Belongs to the engine from submit() until it has come
/// back from reap().
struct Job final : scsi::PointOfNoReturn {
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  tcmu::Ring* ring = nullptr;
  tcmu::RingCommand* command = nullptr;
  scsi::Plan plan;
  scsi::Response response;
  Operation operation = Operation::other;  // this, and when it was taken: for statistics
  u64 taken_ns = 0;
  std::size_t slot = 0;  // in the table of commands in flight

  scsi::Command scsi_command() { return {command->cdb_bytes(), command->buffer, command->begun, this}; }
  /// Leaves the mark by which a successor knows.
  void passed() noexcept override { ring->mark_begun(*command); }
};

/// Carries jobs out, in any order and as many at once as it likes. Used by one thread at a time.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  /// Takes the jobs; their responses are there once reap() has given them back.
  virtual void submit(std::span<Job* const> jobs) noexcept = 0;
  /// The jobs that have been finished since the last call; valid until the next call of submit() or reap().
  virtual std::span<Job* const> reap() noexcept = 0;

  /// Whether there are jobs that reap() has not given back.
  virtual bool idle() const noexcept = 0;
  /// Polls readable when reap() may have something that it had not before; -1: jobs are finished in submit().
  virtual int fd() const noexcept { return -1; }
  /// Waits until reap() has something, if there are jobs.
  virtual void wait() noexcept {}

  /// Whether it wants commands as they come, without a plan, and makes their answers itself.
  virtual bool unplanned() const noexcept { return false; }

  /// The word that users see: "io_uring".
  virtual std::string name() const = 0;
};

}  // namespace tcmufs::volume
