#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "sys/fd.h"
#include "volume/engine.h"

namespace tcmufs::device {

/// Carries jobs out in threads of its own, as many at once as there are threads.
class ThreadedEngine final : public volume::Engine {
 public:
  using Work = std::function<void(volume::Job&)>;

  /// `work` does one job, in some thread, and must not throw. `unplanned`: it is given commands as they come.
  ThreadedEngine(unsigned threads, bool unplanned, Work work);
  /// No job may be left.
  ~ThreadedEngine() override;

  void submit(std::span<volume::Job* const> jobs) noexcept override;
  std::span<volume::Job* const> reap() noexcept override;
  bool idle() const noexcept override { return under_way_ == 0; }
  int fd() const noexcept override { return event_.number(); }
  void wait() noexcept override;
  bool unplanned() const noexcept override { return unplanned_; }
  std::string name() const override { return "threads"; }

 private:
  void run() noexcept;

  const bool unplanned_;
  const Work work_;
  Fd event_;
  std::size_t under_way_ = 0;  // used by the owner alone, as is given_
  std::vector<volume::Job*> given_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable submitted_;
  std::condition_variable finished_;
  std::deque<volume::Job*> waiting_;
  std::vector<volume::Job*> done_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tcmufs::device
