#pragma once

#include <span>

#include "scsi/logical_unit.h"
#include "tcmu/ring.h"

namespace tcmufs::volume {

/// A command that takes I/O, between ring and store. Belongs to the server until it has come back from
/// reap().
struct Job final : scsi::PointOfNoReturn {
  tcmu::Ring* ring = nullptr;
  tcmu::RingCommand* command = nullptr;
  scsi::Plan plan;
  scsi::Response response;

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
  /// The jobs that have been finished since the last call; valid until the next submit().
  virtual std::span<Job* const> reap() noexcept = 0;
};

}  // namespace tcmufs::volume
