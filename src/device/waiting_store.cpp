#include "device/waiting_store.h"

#include <condition_variable>
#include <mutex>

#include "device/completion.h"
#include "device/errors.h"

namespace tcmufs::device {

namespace {

class Wait final : public CompletionParts::Operation {
 public:
  void ended(std::error_code error) noexcept override {
    const std::lock_guard held(mutex_);
    error_ = error;
    ended_ = true;
    changed_.notify_one();  // with the lock: once it is free this may be gone
  }

  /// Begins something, and returns when it has ended. What `begin` throws comes before what its completion,
  /// which is destroyed then, says.
  template <typename Begin>
  static void until_ended(Begin begin) {
    Wait wait;
    const std::error_code thrown = attempt([&] { begin(CompletionParts::make(wait)); });
    std::unique_lock held(wait.mutex_);
    wait.changed_.wait(held, [&wait] { return wait.ended_; });
    const std::error_code error = thrown ? thrown : wait.error_;
    if (error) throw std::system_error(error);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::error_code error_;  // guarded by mutex_, as is ended_
  bool ended_ = false;
};

}  // namespace

void WaitingStore::read(std::uint64_t offset, std::span<std::byte> data) {
  Wait::until_ended([&](Completion done) { store_->read(offset, data, std::move(done)); });
}

void WaitingStore::write(std::uint64_t offset, std::span<const std::byte> data) {
  Wait::until_ended([&](Completion done) { store_->write(offset, data, std::move(done)); });
}

void WaitingStore::flush() {
  Wait::until_ended([&](Completion done) { store_->flush(std::move(done)); });
}

void WaitingStore::discard(std::uint64_t offset, std::uint64_t length) {
  Wait::until_ended([&](Completion done) { store_->discard(offset, length, std::move(done)); });
}

}  // namespace tcmufs::device
