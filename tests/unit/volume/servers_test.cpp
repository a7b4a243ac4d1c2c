#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <thread>

#include "store/file_store.h"
#include "support/async_ios.h"
#include "support/fake_doorbell.h"
#include "support/temporary_directory.h"
#include "volume/file_engine.h"
#include "volume/server.h"

namespace tcmufs::volume {
namespace {

constexpr u32 block = 512;
constexpr u32 slot_blocks = 16;
constexpr std::size_t slot_bytes = std::size_t{slot_blocks} * block;
constexpr u32 slots = 128;
constexpr u32 slots_at_a_time = 12;
constexpr int rounds = 60;

/// A disk in a file, served, and an initiator that knows what stands on it.
class Disk {
 public:
  Disk(const std::string& path, test::AsyncKind kind, u32 seed) : random_(seed), path_(path) {
    store_ = std::make_unique<store::FileStore>(open_file(path, O_RDWR | O_CREAT, 0600), path,
                                                Deadline::after(std::chrono::seconds(5)));
    EXPECT_FALSE(store_->resize(contents_.size()));
    auto io = test::make_async_io(kind, store_->descriptor(), why_not_);
    if (io == nullptr) return;
    engine_ = std::make_unique<FileEngine>(unit_, *store_, store_->descriptor(), std::move(io));
    server_ = std::make_unique<Server>(doorbell_, unit_, *engine_, statistics_,
                                       [](const std::string& sentence) { ADD_FAILURE() << sentence; });
  }
  const std::string& why_not() const { return why_not_; }

  /// Sends commands that do not touch each other's slots, many at a time, and looks at the answers.
  void work() {
    std::vector<u32> order(slots);
    for (u32 i = 0; i < slots; ++i) order[i] = i;
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
      std::shuffle(order.begin(), order.end(), random_);
      if (round % 8 == 0) forget();
      expected_.clear();
      for (u32 i = 0; i < slots_at_a_time; ++i) send_one(order[i]);
      std::vector<test::FakeKernelRing::Completion> answers;
      while (answers.size() < expected_.size()) {
        for (auto& answer : doorbell_.wait_for(1)) answers.push_back(std::move(answer));
        ASSERT_FALSE(testing::Test::HasFailure());
      }
      check(answers);
    }
  }

  void stop() { server_.reset(); }
  /// What stands in the image.
  std::vector<u8> image() {
    std::vector<u8> bytes(contents_.size());
    const iovec all{bytes.data(), bytes.size()};
    EXPECT_FALSE(store_->read(0, {&all, 1}));
    return bytes;
  }
  const std::vector<u8>& contents() const { return contents_; }

 private:
  /// What has been written is read from the medium from now on, where the file system lets us.
  void forget() {
    EXPECT_EQ(::fdatasync(store_->descriptor()), 0);
    ::posix_fadvise(store_->descriptor(), 0, 0, POSIX_FADV_DONTNEED);
  }

  u32 pick(u32 below) { return std::uniform_int_distribution<u32>(0, below - 1)(random_); }

  void send_one(u32 slot) {
    const u32 first = pick(slot_blocks);
    const u32 count = 1 + pick(slot_blocks - first);
    const u32 lba = slot * slot_blocks + first;
    const auto from = contents_.begin() + static_cast<std::ptrdiff_t>(lba) * block;
    const std::size_t bytes = std::size_t{count} * block;
    expected_.emplace_back();
    switch (pick(8)) {
      case 0:  // SYNCHRONIZE CACHE
        return doorbell_.send(std::array<u8, 10>{0x35}, {}, 0);
      case 1: {  // UNMAP
        std::fill_n(from, bytes, u8{0});
        const std::array<u8, 24> list = {0,
                                         22,
                                         0,
                                         16,
                                         0,
                                         0,
                                         0,
                                         0,
                                         0,
                                         0,
                                         0,
                                         0,
                                         0,
                                         0,
                                         static_cast<u8>(lba >> 8),
                                         static_cast<u8>(lba),
                                         0,
                                         0,
                                         0,
                                         static_cast<u8>(count)};
        return doorbell_.send(std::array<u8, 10>{0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0}, list, 0);
      }
      case 2:
      case 3:
      case 4: {  // WRITE, now and then with FUA
        const u8 flags = pick(8) == 0 ? 0x08 : 0;
        std::generate_n(from, bytes, [this] { return static_cast<u8>(random_()); });
        return doorbell_.send(transfer(0x2a, flags, lba, count),
                              std::vector<u8>(from, from + static_cast<std::ptrdiff_t>(bytes)), 0);
      }
      default:
        expected_.back().assign(from, from + static_cast<std::ptrdiff_t>(bytes));
        return doorbell_.send(transfer(0x28, 0, lba, count), {}, bytes);
    }
  }
  static std::array<u8, 10> transfer(u8 opcode, u8 flags, u32 lba, u32 count) {
    return {
        opcode, flags, 0, 0, static_cast<u8>(lba >> 8), static_cast<u8>(lba), 0, 0, static_cast<u8>(count),
        0};
  }

  void check(const std::vector<test::FakeKernelRing::Completion>& answers) {
    ASSERT_EQ(answers.size(), expected_.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
      ASSERT_EQ(answers[i].status, 0) << path_ << ", command " << i;
      ASSERT_EQ(answers[i].data_in, expected_[i]) << path_ << ", command " << i;
    }
  }

  std::mt19937 random_;
  const std::string path_;
  std::string why_not_;
  std::vector<u8> contents_ = std::vector<u8>(slots * slot_bytes);
  std::vector<std::vector<u8>> expected_;  // data-in of the commands under way, in ring order
  std::unique_ptr<store::FileStore> store_;
  scsi::LogicalUnit unit_{scsi::Identity{.uuid = Uuid::random()},
                          scsi::Format{block, 4096, slots* slot_bytes}};
  test::FakeDoorbell doorbell_{{.cmdr_bytes = 16384, .data_blocks = 64}};
  Statistics statistics_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Server> server_;
};

class ServersTest : public testing::TestWithParam<test::AsyncKind> {};
INSTANTIATE_TEST_SUITE_P(, ServersTest, testing::Values(test::AsyncKind::uring, test::AsyncKind::threads),
                         [](const auto& chosen) { return test::name_of(chosen.param); });

TEST_P(ServersTest, FourServeFourDisksAtATimeAndEveryByteIsRight) {
  const test::TemporaryDirectory directory("/var/tmp");
  std::vector<std::unique_ptr<Disk>> disks;
  for (u32 i = 0; i < 4; ++i) {
    disks.push_back(
        std::make_unique<Disk>(directory.path() + "/image" + std::to_string(i), GetParam(), i + 1));
    if (!disks.back()->why_not().empty()) GTEST_SKIP() << disks.back()->why_not();
  }
  std::vector<std::thread> initiators;
  for (auto& disk : disks) initiators.emplace_back([&disk] { disk->work(); });
  for (std::thread& initiator : initiators) initiator.join();
  for (auto& disk : disks) {
    disk->stop();
    EXPECT_EQ(disk->image(), disk->contents());
  }
}

}  // namespace
}  // namespace tcmufs::volume
