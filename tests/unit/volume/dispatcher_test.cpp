#include "volume/dispatcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>

#include "store/file_store.h"
#include "support/allocation_count.h"
#include "support/async_ios.h"
#include "support/fake_kernel_ring.h"
#include "support/null_store.h"
#include "support/temporary_directory.h"
#include "volume/clock.h"
#include "volume/file_engine.h"
#include "volume/positional_engine.h"

namespace tcmufs::volume {
namespace {

constexpr u64 size_bytes = 4 << 20;
constexpr std::size_t transfer_bytes = 4096;

class DispatcherTest : public testing::Test {
 protected:
  void queue(u8 opcode, unsigned number) {
    const auto lba = static_cast<u16>(number * 8 % (size_bytes / 512));
    const std::array<u8, 10> cdb = {opcode, 0, 0, 0, static_cast<u8>(lba >> 8), static_cast<u8>(lba),
                                    0,      0, 8, 0};
    const bool reads = opcode == 0x28;
    ASSERT_TRUE(reads ? kernel_.queue(cdb, {}, transfer_bytes) : kernel_.queue(cdb, data_));
  }

  /// How many allocations 20,000 commands took, once a thousand had warmed all up; `before_each` batch of
  /// them.
  std::size_t allocations_of(Engine& engine, const std::function<void()>& before_each) {
    Statistics statistics;
    Dispatcher dispatcher(bytes_.span(), unit_, engine, statistics);
    std::size_t count = 0;
    std::size_t answered = 0;
    for (unsigned number = 0; number < 21'000;) {
      for (int i = 0; i < 10; ++i) {
        queue(0x28, number++);
        queue(0x2a, number++);
      }
      before_each();
      const std::size_t before = test::allocations();
      while (dispatcher.take(now_ns()) > 0) dispatcher.finish();
      while (!engine.idle()) {
        engine.wait();
        dispatcher.finish();
      }
      dispatcher.ring().commit();
      if (number > 1000) count += test::allocations() - before;
      kernel_.notify();
      for (const auto& completion : kernel_.completions()) answered += completion.status == 0;
    }
    EXPECT_EQ(answered, 21'000U);
    EXPECT_EQ(kernel_.complaint(), "");
    return count;
  }

  scsi::LogicalUnit unit_{scsi::Identity{.uuid = Uuid::random()}, scsi::Format{512, 4096, size_bytes}};
  const test::FakeKernelRing::Shape shape_{.cmdr_bytes = 16384, .data_blocks = 32};
  test::RingBytes bytes_{shape_.map_bytes()};
  test::FakeKernelRing kernel_{bytes_.span(), shape_};
  const std::vector<u8> data_ = std::vector<u8>(transfer_bytes, 0x5a);
};

TEST_F(DispatcherTest, OnceWarmReadsAndWritesTakeNoAllocation) {
  test::NullStore store(size_bytes);
  PositionalEngine engine(unit_, store);
  EXPECT_EQ(allocations_of(engine, [] {}), 0U);
}

/// Carries a job out when it is told to.
class PatientEngine final : public Engine {
 public:
  explicit PatientEngine(scsi::LogicalUnit& unit) : unit_(unit) {}

  std::vector<Job*> under_way;

  void do_one() {
    Job* job = under_way.front();
    under_way.erase(under_way.begin());
    job->response = unit_.execute(job->plan, job->scsi_command(), store_);
    done_.push_back(job);
  }

  void submit(std::span<Job* const> jobs) noexcept override {
    under_way.insert(under_way.end(), jobs.begin(), jobs.end());
  }
  std::span<Job* const> reap() noexcept override {
    given_.clear();
    given_.swap(done_);
    return given_;
  }
  bool idle() const noexcept override { return under_way.empty() && done_.empty(); }
  std::string name() const override { return "patient"; }

 private:
  scsi::LogicalUnit& unit_;
  test::NullStore store_{size_bytes};
  std::vector<Job*> done_;
  std::vector<Job*> given_;
};

class CompareAndWrite : public DispatcherTest {
 protected:
  /// Two writes, a COMPARE AND WRITE and two writes more, all of other blocks.
  void SetUp() override {
    constexpr std::array<u8, 16> of_block_0 = {0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0};
    queue(0x2a, 1);
    queue(0x2a, 2);
    ASSERT_TRUE(kernel_.queue(of_block_0, std::vector<u8>(1024)));
    queue(0x2a, 3);
    queue(0x2a, 4);
  }
  void take_all() {
    do {
      dispatcher_.finish();
    } while (dispatcher_.take(now_ns()) > 0);
  }
  void do_one() {
    engine_.do_one();
    take_all();
  }
  std::vector<u8> statuses() {
    dispatcher_.ring().commit();
    kernel_.notify();
    std::vector<u8> all;
    for (const auto& completion : kernel_.completions()) all.push_back(completion.status);
    return all;
  }
  bool is_alone() const {
    return engine_.under_way.size() == 1 && engine_.under_way[0]->command->cdb[0] == 0x89;
  }

  PatientEngine engine_{unit_};
  Statistics statistics_;
  Dispatcher dispatcher_{bytes_.span(), unit_, engine_, statistics_};
};

TEST_F(CompareAndWrite, BeginsWhenAllBeforeItIsAnsweredAndWhatComesAfterItWaits) {
  take_all();
  EXPECT_EQ(engine_.under_way.size(), 2U);
  EXPECT_FALSE(dispatcher_.can_take());
  do_one();
  EXPECT_EQ(engine_.under_way.size(), 1U);
  EXPECT_FALSE(is_alone());
  do_one();
  EXPECT_TRUE(is_alone());
  EXPECT_FALSE(dispatcher_.can_take());
  do_one();
  EXPECT_EQ(engine_.under_way.size(), 2U);
  EXPECT_FALSE(is_alone());
  EXPECT_TRUE(dispatcher_.can_take());
  do_one();
  do_one();
  EXPECT_EQ(statuses(), std::vector<u8>(5, 0));
}

class DispatcherOverFileTest : public DispatcherTest, public testing::WithParamInterface<test::AsyncKind> {};
INSTANTIATE_TEST_SUITE_P(, DispatcherOverFileTest,
                         testing::Values(test::AsyncKind::uring, test::AsyncKind::threads),
                         [](const auto& chosen) { return test::name_of(chosen.param); });

TEST_P(DispatcherOverFileTest, OnceWarmReadsAndWritesTakeNoAllocationWhateverIsCached) {
  test::TemporaryDirectory directory("/var/tmp");
  const std::string path = directory.path() + "/image";
  store::FileStore store(open_file(path, O_RDWR | O_CREAT, 0600), path,
                         Deadline::after(std::chrono::seconds(5)));
  ASSERT_FALSE(store.resize(size_bytes));
  std::string why_not;
  auto io = test::make_async_io(GetParam(), store.descriptor(), why_not);
  if (io == nullptr) GTEST_SKIP() << why_not;
  FileEngine engine(unit_, store, store.descriptor(), std::move(io));
  unsigned batches = 0;
  const auto forget = [&] {
    if (batches++ % 20 != 0) return;
    ASSERT_FALSE(store.flush());
    ::posix_fadvise(store.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
  };
  EXPECT_EQ(allocations_of(engine, forget), 0U);
}

}  // namespace
}  // namespace tcmufs::volume
