#include "device/async_engine.h"

#include <gmock/gmock.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <thread>

#include "device/user_store.h"
#include "device/waiting_store.h"
#include "tcmufs/error.h"

namespace tcmufs::device {
namespace {

using volume::Job;

constexpr u64 size_bytes = 1 << 20;

/// Does nothing until it is told to.
class Patient final : public AsyncBlockStore {
 public:
  void read(std::uint64_t offset, std::span<std::byte> data, Completion done) override {
    begin("read", std::move(done), [=, this] { std::copy_n(&bytes[offset], data.size(), data.begin()); });
  }
  void write(std::uint64_t offset, std::span<const std::byte> data, Completion done) override {
    begin("write", std::move(done), [=, this] { std::copy(data.begin(), data.end(), &bytes[offset]); });
  }
  bool has_write_cache() const override { return true; }
  void flush(Completion done) override {
    begin("flush", std::move(done), [] {});
  }
  bool can_discard() const override { return true; }
  void discard(std::uint64_t offset, std::uint64_t length, Completion done) override {
    begin("discard", std::move(done), [=, this] { std::fill_n(&bytes[offset], length, std::byte{}); });
  }

  struct Begun {
    std::string what;
    Completion done;
    std::function<void()> work;
  };
  void end(std::size_t which, int error = 0) { end(which, std::error_code(error, std::generic_category())); }
  void end(std::size_t which, std::error_code error) {
    Begun begun = std::move(operations.at(which));
    operations.erase(operations.begin() + static_cast<std::ptrdiff_t>(which));
    if (!error) begun.work();
    begun.done(error);
  }

  std::vector<std::byte> bytes = std::vector<std::byte>(size_bytes);
  std::deque<Begun> operations;
  bool at_once = false;  // each has ended when its function returns
  int thrown = 0;

 private:
  void begin(const std::string& what, Completion done, std::function<void()> work) {
    if (thrown != 0) throw Error(thrown, "on purpose");
    operations.push_back({what, std::move(done), std::move(work)});
    if (at_once) end(operations.size() - 1);
  }
};

class AsyncEngineTest : public testing::Test {
 protected:
  struct Sent {
    std::vector<u8> data;
    tcmu::RingCommand command;
    Job job;
  };

  /// READ(10), WRITE(10) or another CDB of one block at `lba`, in two pieces.
  Sent& send(u8 opcode, u8 lba, u8 flags = 0, std::size_t bytes = 512) {
    Sent& sent = sent_.emplace_back();
    sent.data.assign(bytes, lba);
    const std::array<u8, 10> cdb = {opcode, flags, 0, 0, 0, lba, 0, 0, static_cast<u8>(bytes / 512), 0};
    std::copy(cdb.begin(), cdb.end(), sent.command.cdb.begin());
    sent.command.cdb_length = 10;
    sent.command.buffer = {{sent.data.data(), 100}, {&sent.data[100], bytes - 100}};
    sent.job.command = &sent.command;
    auto outcome = unit_.start({cdb, sent.command.buffer});
    EXPECT_TRUE(std::holds_alternative<scsi::Plan>(outcome));
    sent.job.plan = std::move(std::get<scsi::Plan>(outcome));
    Job* const job = &sent.job;
    engine_.submit({&job, 1});
    return sent;
  }
  std::size_t reaped() { return engine_.reap().size(); }
  bool readable() const {
    pollfd watched{engine_.fd(), POLLIN, 0};
    return ::poll(&watched, 1, 0) == 1;
  }
  static std::array<u8, 3> sense(const Sent& sent) {
    EXPECT_EQ(sent.job.response.status, scsi::Status::check_condition);
    const auto& bytes = sent.job.response.sense.bytes;
    return {static_cast<u8>(bytes[2] & 0x0f), bytes[12], bytes[13]};
  }
  static bool good(const Sent& sent) { return sent.job.response.status == scsi::Status::good; }

  static constexpr u8 read = 0x28;
  static constexpr u8 write = 0x2a;
  static constexpr u8 verify = 0x2f;
  static constexpr u8 synchronize_cache = 0x35;
  static constexpr u8 fua = 0x08;

  std::shared_ptr<Patient> patient_ = std::make_shared<Patient>();
  scsi::LogicalUnit unit_{scsi::Identity{}, scsi::Format{.size_bytes = size_bytes, .write_cache = true}};
  UserStore waiting_{std::make_shared<WaitingStore>(patient_), size_bytes, false};
  AsyncEngine engine_{unit_, waiting_, patient_};
  std::deque<Sent> sent_;
};

TEST_F(AsyncEngineTest, ManyAreUnderWayAndEndInAnyOrder) {
  Sent& one = send(write, 1);
  Sent& other = send(write, 2);
  EXPECT_EQ(patient_->operations.size(), 4U);
  EXPECT_EQ(reaped(), 0U);
  patient_->end(3);
  EXPECT_FALSE(readable());
  patient_->end(2);
  EXPECT_TRUE(readable());
  const auto first = engine_.reap();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0], &other.job);
  EXPECT_FALSE(readable());
  EXPECT_FALSE(engine_.idle());
  patient_->end(0);
  patient_->end(0);
  EXPECT_EQ(reaped(), 1U);
  EXPECT_TRUE(good(one) && good(other));
  EXPECT_TRUE(engine_.idle());
  EXPECT_EQ(patient_->bytes[512], std::byte{1});
  EXPECT_EQ(patient_->bytes[1024 + 511], std::byte{2});
}

TEST_F(AsyncEngineTest, OneThatEndsBeforeItsFunctionReturnsIsThereAtOnce) {
  patient_->at_once = true;
  patient_->bytes[512 * 3 + 200] = std::byte{9};
  const Sent& sent = send(read, 3);
  EXPECT_TRUE(readable());
  EXPECT_EQ(reaped(), 1U);
  EXPECT_TRUE(good(sent));
  EXPECT_EQ(sent.data[200], 9);
}

TEST_F(AsyncEngineTest, AnotherThreadMayEndIt) {
  send(read, 3);
  std::thread thread([&] {
    patient_->end(0);
    patient_->end(0);
  });
  engine_.wait();
  EXPECT_EQ(reaped(), 1U);
  thread.join();
}

TEST_F(AsyncEngineTest, WithForceUnitAccessAWriteEndsWithItsFlush) {
  const Sent& sent = send(write, 1, fua);
  patient_->end(0);
  patient_->end(0);
  EXPECT_EQ(reaped(), 0U);
  ASSERT_EQ(patient_->operations.size(), 1U);
  EXPECT_EQ(patient_->operations[0].what, "flush");
  patient_->end(0);
  EXPECT_EQ(reaped(), 1U);
  EXPECT_TRUE(good(sent));
}

TEST_F(AsyncEngineTest, AFlushThatFailsIsTold) {
  const Sent& sent = send(synchronize_cache, 0);
  patient_->end(0, EIO);
  EXPECT_EQ(reaped(), 1U);
  EXPECT_EQ(sense(sent), (std::array<u8, 3>{0x03, 0x0c, 0x00}));
}

// 28 is ENOSPC among the errnos only.
TEST_F(AsyncEngineTest, AnErrorThatIsNoErrnoIsAnIoError) {
  struct Foreign final : std::error_category {
    const char* name() const noexcept override { return "foreign"; }
    std::string message(int) const override { return "foreign"; }
  };
  static const Foreign foreign;
  const Sent& sent = send(synchronize_cache, 0);
  patient_->end(0, std::error_code(ENOSPC, foreign));
  EXPECT_EQ(reaped(), 1U);
  EXPECT_EQ(sense(sent), (std::array<u8, 3>{0x03, 0x0c, 0x00}));
}

TEST_F(AsyncEngineTest, AnErrorOfAPieceIsThatOfTheCommandAndItsBlockIsFound) {
  const Sent& sent = send(read, 1, 0, 1024);
  patient_->end(1, EIO);
  patient_->end(0);
  // Alone, a block at a time: the first can be read.
  patient_->at_once = true;
  EXPECT_EQ(reaped(), 1U);
  EXPECT_EQ(sense(sent), (std::array<u8, 3>{0x03, 0x11, 0x00}));
}

TEST_F(AsyncEngineTest, WhatIsThrownSaysWhyAndWhatIsForgottenIsAnError) {
  patient_->thrown = ENOSPC;
  const Sent& refused = send(write, 1);
  EXPECT_EQ(reaped(), 1U);
  EXPECT_EQ(sense(refused), (std::array<u8, 3>{0x07, 0x27, 0x07}));
  patient_->thrown = 0;
  const Sent& forgotten = send(synchronize_cache, 0);
  patient_->operations.clear();
  EXPECT_EQ(reaped(), 1U);
  EXPECT_EQ(sense(forgotten), (std::array<u8, 3>{0x03, 0x0c, 0x00}));
}

TEST_F(AsyncEngineTest, WhatIsMoreThanATransferIsAloneAndWaits) {
  const Sent& before = send(write, 1);
  std::thread thread([&] {
    // What is under way is ended by another thread; what is begun meanwhile ends at once.
    patient_->at_once = true;
    patient_->end(0);
    patient_->end(0);
  });
  const Sent& alone = send(verify, 1, 0x02);
  thread.join();
  EXPECT_EQ(reaped(), 2U);
  EXPECT_TRUE(good(before) && good(alone));
}

}  // namespace
}  // namespace tcmufs::device
