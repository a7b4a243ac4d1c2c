#include "volume/server.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "support/fake_doorbell.h"
#include "support/memory_store.h"
#include "volume/positional_engine.h"

namespace tcmufs::volume {
namespace {

using std::chrono_literals::operator""s;

/// Shows what stands in the ring at the moment of a write.
class WatchedStore final : public store::BlockStore {
 public:
  explicit WatchedStore(u64 size_bytes) : memory_(size_bytes) {}

  u64 size_bytes() const noexcept override { return memory_.size_bytes(); }
  std::error_code read(u64 offset, std::span<const iovec> buffers) noexcept override {
    return memory_.read(offset, buffers);
  }
  std::error_code write(u64 offset, std::span<const iovec> buffers) noexcept override {
    if (on_write) on_write();
    return memory_.write(offset, buffers);
  }
  std::error_code flush() noexcept override { return memory_.flush(); }
  std::error_code discard(u64 offset, u64 length) noexcept override {
    return memory_.discard(offset, length);
  }
  std::error_code zero(u64 offset, u64 length) noexcept override { return memory_.zero(offset, length); }
  std::error_code resize(u64 size_bytes) noexcept override { return memory_.resize(size_bytes); }
  std::error_code extent(u64 offset, Extent& result) noexcept override {
    return memory_.extent(offset, result);
  }

  std::function<void()> on_write;

 private:
  test::MemoryStore memory_;
};

/// Finishes nothing before it is waited for.
class LateEngine final : public Engine {
 public:
  LateEngine(scsi::LogicalUnit& unit, store::BlockStore& store)
      : unit_(unit), store_(store), event_(make_event()) {}

  void submit(std::span<Job* const> jobs) noexcept override {
    jobs_.insert(jobs_.end(), jobs.begin(), jobs.end());
    submitted += jobs.size();
  }
  std::span<Job* const> reap() noexcept override {
    if (!waited_) return {};
    for (Job* job : jobs_) job->response = unit_.execute(job->plan, job->scsi_command(), store_);
    given_ = std::exchange(jobs_, {});
    return given_;
  }
  bool idle() const noexcept override { return jobs_.empty(); }
  int fd() const noexcept override { return event_.number(); }
  void wait() noexcept override { waited_ = true; }

  std::atomic<std::size_t> submitted = 0;

 private:
  scsi::LogicalUnit& unit_;
  store::BlockStore& store_;
  std::vector<Job*> jobs_;
  std::vector<Job*> given_;
  bool waited_ = false;
  Fd event_;
};

class ServerTest : public testing::Test {
 protected:
  static constexpr u64 size_bytes = 1 << 20;

  void start() {
    server_.emplace(doorbell_, unit_, engine_, [this](const std::string& sentence) {
      const std::lock_guard lock(mutex_);
      failure_ = sentence;
      changed_.notify_all();
    });
  }
  std::string wait_for_failure() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 60s, [&] { return !failure_.empty(); }));
    return failure_;
  }

  WatchedStore store_{size_bytes};
  scsi::LogicalUnit unit_{scsi::Identity{.uuid = Uuid::random()}, scsi::Format{512, 4096, size_bytes}};
  PositionalEngine engine_{unit_, store_};
  test::FakeDoorbell doorbell_{{.cmdr_bytes = 16384, .data_blocks = 64}};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string failure_;
  std::optional<Server> server_;
};

constexpr std::array<u8, 10> write_of_block_8 = {0x2a, 0, 0, 0, 0, 8, 0, 0, 1, 0};
constexpr std::array<u8, 10> read_of_block_8 = {0x28, 0, 0, 0, 0, 8, 0, 0, 1, 0};

TEST_F(ServerTest, ReadsWhatWasWritten) {
  start();
  const std::vector<u8> block(512, 0x5a);
  doorbell_.send(write_of_block_8, block, 0);
  EXPECT_EQ(doorbell_.wait_for(1)[0].status, 0);
  doorbell_.send(read_of_block_8, {}, 512);
  const auto read = doorbell_.wait_for(1);
  EXPECT_EQ(read[0].status, 0);
  EXPECT_EQ(read[0].data_in, block);
}

TEST_F(ServerTest, ServesWhatWasThereBeforeItStarted) {
  doorbell_.send(read_of_block_8, {}, 512);
  start();
  EXPECT_EQ(doorbell_.wait_for(1)[0].status, 0);
}

TEST_F(ServerTest, AnswersACommandThatMakesNoSense) {
  start();
  const std::array<u8, 6> nonsense = {0xdf, 1, 2, 3, 4, 5};
  doorbell_.send(nonsense, {}, 0);
  const auto answer = doorbell_.wait_for(1);
  EXPECT_EQ(answer[0].status, 2);
  EXPECT_EQ(answer[0].sense[2], 0x05);
}

TEST_F(ServerTest, FinishesEverythingBeforeItEnds) {
  start();
  for (int i = 0; i < 50; ++i) doorbell_.send(read_of_block_8, {}, 512);
  doorbell_.wait_for(50);
  server_.reset();
  EXPECT_TRUE(failure_.empty()) << failure_;
}

TEST_F(ServerTest, TakesNoteOfTheNoticesLongBeforeTheirCountComesRound) {
  start();
  for (int i = 0; i < 5000; ++i) {
    doorbell_.send(read_of_block_8, {}, 512);
    doorbell_.wait_for(1);
  }
  server_.reset();
  EXPECT_EQ(doorbell_.acknowledgements(), 2) << "one at the start, one after some thousand commands";
}

TEST_F(ServerTest, WhatIsUnderWayWhenItEndsIsFinishedAndGivenBack) {
  LateEngine engine(unit_, store_);
  server_.emplace(doorbell_, unit_, engine, [](const std::string&) {});
  for (int i = 0; i < 3; ++i) doorbell_.send(read_of_block_8, {}, 512);
  while (engine.submitted < 3) std::this_thread::yield();
  server_.reset();
  EXPECT_TRUE(engine.idle());
  EXPECT_EQ(doorbell_.wait_for(3).size(), 3U);
}

constexpr std::byte begun{0x10};
constexpr std::array<u8, 16> compare_and_write_of_block_8 = {0x89, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1};

std::vector<u8> compare_and_new(u8 compare, u8 written) {
  std::vector<u8> data(1024, compare);
  std::fill(data.begin() + 512, data.end(), written);
  return data;
}

TEST_F(ServerTest, ACompareThatMatchedIsMarkedBeforeTheWrite) {
  std::byte seen{};
  store_.on_write = [&] { seen = doorbell_.flags() & begun; };
  doorbell_.send(compare_and_write_of_block_8, compare_and_new(0, 7), 0);
  start();
  EXPECT_EQ(doorbell_.wait_for(1)[0].status, 0);
  EXPECT_EQ(seen, begun);
}

TEST_F(ServerTest, ACompareThatHadMatchedBeforeTheServerDiedIsNotMadeAgain) {
  doorbell_.send(compare_and_write_of_block_8, compare_and_new(9, 7), 0);
  doorbell_.flags() = begun;
  start();
  EXPECT_EQ(doorbell_.wait_for(1)[0].status, 0);
  doorbell_.send(read_of_block_8, {}, 512);
  EXPECT_EQ(doorbell_.wait_for(1)[0].data_in, std::vector<u8>(512, 7));
}

TEST_F(ServerTest, SaysThatItsDeviceIsGone) {
  start();
  doorbell_.remove();
  EXPECT_NE(wait_for_failure().find("removed by somebody else"), std::string::npos);
}

TEST_F(ServerTest, StopsAtARingThatBreaksTheRules) {
  start();
  doorbell_.send(read_of_block_8, {}, 512);
  doorbell_.wait_for(1);
  doorbell_.spoil_head();
  EXPECT_NE(wait_for_failure().find("ring broke a rule"), std::string::npos);
}

}  // namespace
}  // namespace tcmufs::volume
