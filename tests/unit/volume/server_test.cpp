#include "volume/server.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
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
  std::string name() const override { return "late"; }
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
    server_.emplace(doorbell_, unit_, engine_, statistics_, [this](const std::string& sentence) {
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

  OperationFigures figures(Operation operation) const {
    return statistics_.figures().operations[static_cast<std::size_t>(operation)];
  }

  WatchedStore store_{size_bytes};
  scsi::LogicalUnit unit_{scsi::Identity{.uuid = Uuid::random()}, scsi::Format{512, 4096, size_bytes}};
  PositionalEngine engine_{unit_, store_};
  Statistics statistics_;
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

TEST_F(ServerTest, WhatIsInFlightCanBeSeenWhileItsThreadHangsInTheStore) {
  std::promise<void> reached;
  std::promise<void> let_go;
  store_.on_write = [&] {
    reached.set_value();
    let_go.get_future().wait();
  };
  start();
  const InFlight& in_flight = statistics_.commands_in_flight();
  doorbell_.send(write_of_block_8, std::vector<u8>(512, 0x5a), 0);
  reached.get_future().wait();
  const auto commands = in_flight.commands();
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(in_flight_text(commands, commands[0].taken_ns + 5'000'000), "5 WRITE(10) lba 8 blocks 1\n");
  let_go.set_value();
  EXPECT_EQ(doorbell_.wait_for(1)[0].status, 0);
  EXPECT_TRUE(in_flight.commands().empty());
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
  server_.emplace(doorbell_, unit_, engine, statistics_, [](const std::string&) {});
  for (int i = 0; i < 3; ++i) doorbell_.send(read_of_block_8, {}, 512);
  while (engine.submitted < 3) std::this_thread::yield();
  server_.reset();
  EXPECT_TRUE(engine.idle());
  EXPECT_EQ(doorbell_.wait_for(3).size(), 3U);
  EXPECT_EQ(figures(Operation::read).commands(), 3U);
}

TEST_F(ServerTest, CommandsAreCountedByOperationWhenTheirAnswersAreSeen) {
  start();
  const std::vector<u8> block(512, 0x5a);
  const auto answered = [&](std::span<const u8> cdb, std::span<const u8> data_out, std::size_t data_in) {
    doorbell_.send(cdb, data_out, data_in);
    return doorbell_.wait_for(1)[0].status;
  };
  EXPECT_EQ(answered(write_of_block_8, block, 0), 0);
  EXPECT_EQ(answered(read_of_block_8, {}, 512), 0);
  EXPECT_EQ(answered(read_of_block_8, {}, 512), 0);
  EXPECT_EQ(answered(std::array<u8, 10>{0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0}, {}, 512), 2);
  EXPECT_EQ(answered(std::array<u8, 10>{0x28, 0, 0, 0, 0, 8, 0, 0, 0, 0}, {}, 0), 0);
  EXPECT_EQ(answered(std::array<u8, 10>{0x35}, {}, 0), 0);
  // UNMAP of 16 blocks in two pieces, WRITE SAME(16) of 24 zeros
  const std::vector<u8> pieces = {0, 38, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 8,
                                  0, 0,  0, 0,  0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 8, 0, 0, 0, 0};
  EXPECT_EQ(answered(std::array<u8, 10>{0x42, 0, 0, 0, 0, 0, 0, 0, 40, 0}, pieces, 0), 0);
  EXPECT_EQ(answered(std::array<u8, 16>{0x93, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 24, 0, 0},
                     std::vector<u8>(512), 0),
            0);
  EXPECT_EQ(answered(std::array<u8, 6>{}, {}, 0), 0) << "TEST UNIT READY";
  EXPECT_EQ(answered(std::array<u8, 6>{0xdf}, {}, 0), 2);

  const auto all = [&](Operation operation) {
    const OperationFigures seen = figures(operation);
    return std::array{seen.commands(), seen.bytes, seen.errors};
  };
  EXPECT_EQ(all(Operation::write), (std::array<u64, 3>{1, 512, 0}));
  EXPECT_EQ(all(Operation::read), (std::array<u64, 3>{4, 1024, 1}));
  EXPECT_EQ(all(Operation::flush), (std::array<u64, 3>{1, 0, 0}));
  EXPECT_EQ(all(Operation::discard), (std::array<u64, 3>{2, 40 * 512, 0}));
  EXPECT_EQ(all(Operation::other), (std::array<u64, 3>{2, 0, 1}));
  server_.reset();
  const StatisticsFigures now = statistics_.figures();
  EXPECT_EQ(now.batches, 10U);
  EXPECT_EQ(now.kicks, static_cast<u64>(doorbell_.kicks()) - 1) << "the first kick is no answer";
  EXPECT_EQ(now.in_flight, 0U);
}

TEST_F(ServerTest, CommandsThatWereThereTogetherAreOneBatchAndOneKick) {
  for (int i = 0; i < 20; ++i) doorbell_.send(read_of_block_8, {}, 512);
  start();
  doorbell_.wait_for(20);
  server_.reset();
  const StatisticsFigures now = statistics_.figures();
  EXPECT_EQ(now.commands(), 20U);
  EXPECT_EQ(now.batches, 1U);
  EXPECT_EQ(now.kicks, 1U);
}

TEST_F(ServerTest, WhatIsUnderWayIsSeenWhileTheStoreHangs) {
  std::promise<void> let_go;
  store_.on_write = [&] { let_go.get_future().wait(); };
  const std::vector<u8> block(512, 0x5a);
  for (int i = 0; i < 3; ++i) {
    const bool first = i == 0;
    doorbell_.send(first ? write_of_block_8 : read_of_block_8,
                   first ? std::span<const u8>(block) : std::span<const u8>(), first ? 0 : 512);
  }
  start();
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (statistics_.figures().in_flight != 3 && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_EQ(statistics_.figures().in_flight, 3U);
  EXPECT_EQ(statistics_.figures().commands(), 0U);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  let_go.set_value();
  doorbell_.wait_for(3);
  server_.reset();
  EXPECT_EQ(statistics_.figures().in_flight, 0U);
  EXPECT_GE(figures(Operation::write).max_ns, 20'000'000U);
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
  start();
  doorbell_.send(compare_and_write_of_block_8, compare_and_new(0, 7), 0);
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
