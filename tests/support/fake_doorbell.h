#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "support/fake_kernel_ring.h"
#include "sys/fd.h"
#include "volume/server.h"

namespace tcmufs::test {

/// A ring in memory, with a kernel at the other end that looks at the answers when it is notified.
class FakeDoorbell final : public volume::Doorbell {
 public:
  explicit FakeDoorbell(FakeKernelRing::Shape shape)
      : bytes_(shape.map_bytes()), kernel_(bytes_.span(), shape), event_(make_event()) {}

  std::span<std::byte> memory() noexcept override { return bytes_.span(); }
  int fd() const noexcept override { return event_.number(); }
  bool present(u32) const noexcept override { return !removed_; }
  bool acknowledge() noexcept override {
    clear_event(event_.number());
    ++acknowledgements_;
    return !removed_;
  }
  bool notify() noexcept override {
    const std::lock_guard lock(mutex_);
    kernel_.notify();
    ++kicks_;
    for (auto& completion : kernel_.completions()) completions_.push_back(std::move(completion));
    changed_.notify_all();
    return true;
  }

  void send(std::span<const u8> cdb, std::span<const u8> data_out, std::size_t data_in_bytes) {
    {
      const std::lock_guard lock(mutex_);
      ASSERT_TRUE(kernel_.queue(cdb, data_out, data_in_bytes));
    }
    raise_event(event_.number());
  }
  std::vector<FakeKernelRing::Completion> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(60), [&] { return completions_.size() >= count; }));
    return std::exchange(completions_, {});
  }
  /// The flags byte of the command that was sent last: where the marks are.
  std::byte& flags() { return bytes_.span()[kernel_.last_entry() + 7]; }
  int kicks() {
    const std::lock_guard lock(mutex_);
    return kicks_;
  }
  int acknowledgements() const { return acknowledgements_; }
  void remove() {
    removed_ = true;
    raise_event(event_.number());
  }
  /// The mailbox's cmd_head is no multiple of 8 any more.
  void spoil_head() {
    u32& head = *reinterpret_cast<u32*>(bytes_.span().data() + 12);
    std::atomic_ref<u32>(head).fetch_or(3);
    raise_event(event_.number());
  }

 private:
  RingBytes bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  FakeKernelRing kernel_;
  std::vector<FakeKernelRing::Completion> completions_;
  int kicks_ = 0;
  std::atomic<bool> removed_ = false;
  std::atomic<int> acknowledgements_ = 0;
  Fd event_;
};

}  // namespace tcmufs::test
