#pragma once

#include <vector>

#include "store/block_store.h"
#include "volume/engine.h"

namespace tcmufs::volume {

/// Carries every job out inside submit(), one after the other, with positional I/O in the calling thread.
class PositionalEngine final : public Engine {
 public:
  PositionalEngine(scsi::LogicalUnit& unit, store::BlockStore& store) : unit_(unit), store_(store) {}

  void submit(std::span<Job* const> jobs) noexcept override {
    if (reaped_) done_.clear();
    reaped_ = false;
    for (Job* job : jobs) {
      job->response = unit_.execute(job->plan, job->scsi_command(), store_);
      done_.push_back(job);
    }
  }

  std::span<Job* const> reap() noexcept override {
    if (reaped_) return {};
    reaped_ = true;
    return done_;
  }

  bool idle() const noexcept override { return reaped_ || done_.empty(); }
  std::string name() const override { return "positional"; }

 private:
  scsi::LogicalUnit& unit_;
  store::BlockStore& store_;
  std::vector<Job*> done_;
  bool reaped_ = true;
};

}  // namespace tcmufs::volume
