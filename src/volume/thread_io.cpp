#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "sys/fd.h"
#include "sys/quiet_thread.h"
#include "volume/async_io.h"

namespace tcmufs::volume {

namespace {

constexpr std::size_t thread_limit = 8;

class ThreadIo final : public AsyncIo {
 public:
  explicit ThreadIo(int file) : file_(file), event_(make_event()) {}
  ~ThreadIo() override {
    {
      const std::lock_guard held(mutex_);
      ended_ = true;
    }
    work_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void start(AsyncOperation& operation) noexcept override {
    std::unique_lock held(mutex_);
    waiting_.push_back(&operation);
    if (waiting_.size() > resting_ && threads_.size() < thread_limit) add_thread();
    if (!threads_.empty()) return work_.notify_one();
    // Not even one thread could be had.
    waiting_.pop_back();
    held.unlock();
    carry_out(operation);
    held.lock();
    done_.push_back(&operation);
    raise_event(event_.number());
  }
  void flush() noexcept override {}

  AsyncOperation* finished() noexcept override {
    const std::lock_guard held(mutex_);
    if (done_.empty()) {
      clear_event(event_.number());
      return nullptr;
    }
    AsyncOperation* operation = done_.front();
    done_.pop_front();
    return operation;
  }

  void wait() noexcept override {
    std::unique_lock held(mutex_);
    changed_.wait(held, [this] { return !done_.empty(); });
  }

  int fd() const noexcept override { return event_.number(); }
  std::string name() const override { return "threads"; }

 private:
  void add_thread() {
    try {
      threads_.push_back(quiet_thread([this] { run(); }));
    } catch (const std::system_error&) {
      // Those that are there do it.
    }
  }

  void run() noexcept {
    std::unique_lock held(mutex_);
    for (;;) {
      ++resting_;
      work_.wait(held, [this] { return ended_ || !waiting_.empty(); });
      --resting_;
      if (waiting_.empty()) return;
      AsyncOperation* operation = waiting_.front();
      waiting_.pop_front();
      held.unlock();
      carry_out(*operation);
      held.lock();
      done_.push_back(operation);
      raise_event(event_.number());
      changed_.notify_one();
    }
  }

  void carry_out(AsyncOperation& operation) const noexcept {
    const ssize_t result = made_of(operation);
    operation.result = result < 0 ? -errno : result;
  }

  ssize_t made_of(const AsyncOperation& operation) const noexcept {
    const iovec* pieces = operation.buffer.data();
    const auto count = static_cast<int>(operation.buffer.size());
    const auto offset = static_cast<off_t>(operation.offset_bytes);
    switch (operation.kind) {
      case AsyncOperation::Kind::read:
        return ::preadv(file_, pieces, count, offset);
      case AsyncOperation::Kind::write:
        return ::pwritev(file_, pieces, count, offset);
      case AsyncOperation::Kind::sync:
        break;
    }
    return ::fdatasync(file_);
  }

  const int file_;
  Fd event_;
  std::vector<std::thread> threads_;  // used by the owner alone
  std::mutex mutex_;                  // guards what follows
  std::condition_variable work_;
  std::condition_variable changed_;
  std::deque<AsyncOperation*> waiting_;
  std::deque<AsyncOperation*> done_;
  std::size_t resting_ = 0;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<AsyncIo> make_thread_io(int file) {
  return std::make_unique<ThreadIo>(file);
}

}  // namespace tcmufs::volume
