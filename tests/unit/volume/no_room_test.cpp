// What a server does with writes for which the store has no room.

#include <gmock/gmock.h>

#include <array>
#include <chrono>

#include "support/fake_doorbell.h"
#include "support/memory_store.h"
#include "volume/positional_engine.h"
#include "volume/server.h"

namespace tcmufs::volume {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

constexpr u8 good = 0;
constexpr u8 check_condition = 2;
constexpr u8 busy = 8;
constexpr std::array<u8, 10> write_10 = {0x2a, 0, 0, 0, 0, 8, 0, 0, 1, 0};
constexpr std::array<u8, 10> read_10 = {0x28, 0, 0, 0, 0, 16, 0, 0, 1, 0};
constexpr std::array<u8, 10> synchronize_cache = {0x35};
constexpr std::array<u8, 10> unmap = {0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0};
constexpr std::array<u8, 16> compare_and_write = {0x89, 0, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0};

class NoRoom : public testing::Test {
 protected:
  static constexpr u64 size_bytes = 1 << 20;

  void start(u32 limit_s) {
    statistics_.space_wait().set_limit(limit_s);
    statistics_.space_wait().tell([this](SpaceWait::Change change) {
      const std::lock_guard lock(mutex_);
      changes_.push_back(change);
    });
    server_.emplace(doorbell_, unit_, engine_, statistics_, [](const std::string&) {});
  }
  test::FakeKernelRing::Completion answer(std::span<const u8> cdb, const std::vector<u8>& out = {},
                                          std::size_t in = 0) {
    doorbell_.send(cdb, out, in);
    return doorbell_.wait_for(1)[0];
  }
  /// As the kernel does: again and again, until it is anything but BUSY.
  test::FakeKernelRing::Completion lasting_answer(std::span<const u8> cdb, const std::vector<u8>& out) {
    for (;;) {
      const auto completion = answer(cdb, out);
      if (completion.status != busy) return completion;
      ++times_busy_;
    }
  }
  std::vector<SpaceWait::Change> changes() {
    const std::lock_guard lock(mutex_);
    return changes_;
  }
  static void expect_no_space(const test::FakeKernelRing::Completion& completion) {
    ASSERT_EQ(completion.status, check_condition);
    EXPECT_EQ(completion.sense[2] & 0x0f, 0x07);
    EXPECT_EQ(completion.sense[12], 0x27);
    EXPECT_EQ(completion.sense[13], 0x07);
  }

  test::MemoryStore store_{size_bytes};
  scsi::LogicalUnit unit_{scsi::Identity{.uuid = Uuid::random()}, scsi::Format{512, 4096, size_bytes}};
  PositionalEngine engine_{unit_, store_};
  Statistics statistics_;
  test::FakeDoorbell doorbell_{{.cmdr_bytes = 16384, .data_blocks = 64}};
  const std::vector<u8> block_ = std::vector<u8>(512, 0x5a);
  unsigned times_busy_ = 0;
  std::mutex mutex_;
  std::vector<SpaceWait::Change> changes_;  // guarded by mutex_
  std::optional<Server> server_;
};

TEST_F(NoRoom, WritesAreAnsweredBusyUntilThereIsRoomAndReadsAndFlushesGoOn) {
  for (const int error : {ENOSPC, EDQUOT}) {
    store_.fail(test::Operation::write, error);
    if (!server_) start(60);
    EXPECT_EQ(answer(write_10, block_).status, busy);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(answer(read_10, {}, 512).status, good);
    EXPECT_EQ(answer(synchronize_cache).status, good);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    EXPECT_EQ(changes().back(), SpaceWait::Change::paused);
    store_.heal();
    EXPECT_EQ(lasting_answer(write_10, block_).status, good);
    EXPECT_EQ(store_.bytes().at(8 * 512), 0x5a);
    while (changes().back() != SpaceWait::Change::goes_on) std::this_thread::sleep_for(10ms);
  }
}

TEST_F(NoRoom, WhoeverComesAgainAtOnceIsNotAlwaysTried) {
  start(60);
  store_.fail(test::Operation::write, ENOSPC);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(answer(write_10, block_).status, busy);
  EXPECT_LE(store_.calls(test::Operation::write), 10U);
}

TEST_F(NoRoom, AfterTheLimitTheyFailWithTheRightSenseAndThenAtOnce) {
  start(1);
  store_.fail(test::Operation::write, ENOSPC);
  const auto begin = std::chrono::steady_clock::now();
  expect_no_space(lasting_answer(write_10, block_));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
  EXPECT_GE(times_busy_, 10U);
  times_busy_ = 0;
  expect_no_space(lasting_answer(write_10, block_));
  EXPECT_EQ(times_busy_, 0U);
  EXPECT_THAT(changes(), testing::ElementsAre(SpaceWait::Change::paused, SpaceWait::Change::given_up));
}

TEST_F(NoRoom, WithoutALimitTheyFailAtOnce) {
  start(0);
  store_.fail(test::Operation::write, ENOSPC);
  expect_no_space(answer(write_10, block_));
  EXPECT_THAT(changes(), testing::IsEmpty());
}

TEST_F(NoRoom, AnotherErrorIsNotWaitedFor) {
  start(60);
  store_.fail(test::Operation::write, EIO);
  EXPECT_EQ(answer(write_10, block_).status, check_condition);
  EXPECT_THAT(changes(), testing::IsEmpty());
}

TEST_F(NoRoom, AFlushThatFindsNoneHasLostSomethingAndFails) {
  start(60);
  store_.fail(test::Operation::flush, ENOSPC);
  EXPECT_EQ(answer(synchronize_cache).status, check_condition);
  EXPECT_THAT(changes(), testing::IsEmpty());
}

TEST_F(NoRoom, WhatIsMoreThanAWriteIsNotDoneTwice) {
  start(60);
  store_.fail(test::Operation::write, ENOSPC);
  std::vector<u8> both(1024, 0);
  both[512] = 1;
  expect_no_space(answer(compare_and_write, both));
  store_.fail(test::Operation::discard, ENOSPC);
  std::vector<u8> eight_blocks(24);
  eight_blocks[1] = 22;
  eight_blocks[3] = 16;
  eight_blocks[19] = 8;
  expect_no_space(answer(unmap, eight_blocks));
  EXPECT_THAT(changes(), testing::IsEmpty());
}

TEST_F(NoRoom, TheServerEndsWithWritesHeldAndAnswersThem) {
  start(60);
  store_.fail(test::Operation::write, ENOSPC);
  EXPECT_EQ(answer(write_10, block_).status, busy);
  for (int i = 0; i < 5; ++i) doorbell_.send(write_10, block_, 0);
  server_.reset();
  const auto answers = doorbell_.wait_for(5);
  for (const auto& completion : answers) EXPECT_EQ(completion.status, busy);
  EXPECT_EQ(changes().back(), SpaceWait::Change::goes_on);
  EXPECT_TRUE(statistics_.commands_in_flight().commands().empty());
}

TEST_F(NoRoom, TheServerEndsWithACompareAndWriteThatWaitsForThemAndAnswersItToo) {
  start(60);
  store_.fail(test::Operation::write, ENOSPC);
  EXPECT_EQ(answer(write_10, block_).status, busy);
  doorbell_.send(write_10, block_, 0);
  doorbell_.send(compare_and_write, std::vector<u8>(1024), 0);
  server_.reset();
  for (const auto& completion : doorbell_.wait_for(2)) EXPECT_EQ(completion.status, busy);
}

TEST_F(NoRoom, WhatWasTurnedAwayIsCountedOnceItIsDone) {
  start(60);
  store_.fail(test::Operation::write, ENOSPC);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(answer(write_10, block_).status, busy);
  store_.heal();
  EXPECT_EQ(lasting_answer(write_10, block_).status, good);
  const auto writes = statistics_.figures().operations[static_cast<std::size_t>(volume::Operation::write)];
  EXPECT_EQ(writes.commands(), 1U);
  EXPECT_EQ(writes.errors, 0U);
}

}  // namespace
}  // namespace tcmufs::volume
