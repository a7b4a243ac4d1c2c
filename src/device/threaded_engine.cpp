#include "device/threaded_engine.h"

#include <utility>

#include "sys/quiet_thread.h"

namespace tcmufs::device {

ThreadedEngine::ThreadedEngine(unsigned threads, bool unplanned, Work work)
    : unplanned_(unplanned), work_(std::move(work)), event_(make_event()) {
  threads_.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) threads_.push_back(quiet_thread([this] { run(); }));
}

ThreadedEngine::~ThreadedEngine() {
  {
    const std::lock_guard held(mutex_);
    ended_ = true;
  }
  submitted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadedEngine::submit(std::span<volume::Job* const> jobs) noexcept {
  under_way_ += jobs.size();
  {
    const std::lock_guard held(mutex_);
    waiting_.insert(waiting_.end(), jobs.begin(), jobs.end());
  }
  if (jobs.size() == 1) {
    submitted_.notify_one();
  } else {
    submitted_.notify_all();
  }
}

std::span<volume::Job* const> ThreadedEngine::reap() noexcept {
  given_.clear();
  {
    const std::lock_guard held(mutex_);
    given_.swap(done_);
    clear_event(event_.number());
  }
  under_way_ -= given_.size();
  return given_;
}

void ThreadedEngine::wait() noexcept {
  if (idle()) return;
  std::unique_lock held(mutex_);
  finished_.wait(held, [this] { return !done_.empty(); });
}

void ThreadedEngine::run() noexcept {
  std::unique_lock held(mutex_);
  for (;;) {
    submitted_.wait(held, [this] { return ended_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    volume::Job* job = waiting_.front();
    waiting_.pop_front();
    held.unlock();
    work_(*job);
    held.lock();
    done_.push_back(job);
    if (done_.size() == 1) raise_event(event_.number());
    finished_.notify_one();
  }
}

}  // namespace tcmufs::device
