#include "volume/kill_points.h"

#include <gmock/gmock.h>
#include <sys/mman.h>

#include <csignal>

#include "support/fake_kernel_ring.h"
#include "support/memory_store.h"
#include "sys/error.h"
#include "volume/dispatcher.h"
#include "volume/positional_engine.h"

namespace tcmufs::volume {
namespace {

constexpr u64 size_bytes = 1 << 20;

/// A place, and what the next daemon finds in the ring.
struct Place {
  const char* order;
  unsigned flags;      // of the command's entry
  bool torn = false;   // its response
  bool given = false;  // back
};

/// The ring is in memory that outlives the process which dies.
class KillPointsTest : public testing::TestWithParam<Place> {
 protected:
  KillPointsTest()
      : memory_(
            ::mmap(nullptr, shape_.map_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
  ~KillPointsTest() override { ::munmap(memory_, shape_.map_bytes()); }

  std::span<std::byte> bytes() const { return {static_cast<std::byte*>(memory_), shape_.map_bytes()}; }
  u32 tail() const { return *reinterpret_cast<const u32*>(bytes().data() + 64); }

  /// Queues so many COMPARE AND WRITE of zeros; a daemon serves them one by one, and ends with status 0
  /// unless it dies.
  [[noreturn]] void serve(const std::string& order, int commands) {
    test::FakeKernelRing kernel(bytes(), shape_);
    scsi::LogicalUnit unit(scsi::Identity{.uuid = Uuid::random()}, scsi::Format{512, 4096, size_bytes});
    test::MemoryStore store(size_bytes);
    Statistics statistics;
    KillPoints points(order);
    const auto engine = points.watched(std::make_unique<PositionalEngine>(unit, store));
    Dispatcher dispatcher(bytes(), unit, *engine, statistics, &points);
    for (int i = 0; i < commands; ++i) {
      kernel.queue(std::array<u8, 16>{0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, std::vector<u8>(1024));
      dispatcher.take(0);
      dispatcher.finish();
      dispatcher.ring().commit();
      dispatcher.take(0);
      dispatcher.finish();
    }
    ::_exit(0);
  }

  const test::FakeKernelRing::Shape shape_{.cmdr_bytes = 16384, .data_blocks = 32};
  void* const memory_;
};

INSTANTIATE_TEST_SUITE_P(, KillPointsTest,
                         testing::Values(Place{"fetched", 0}, Place{"before", 0}, Place{"before other", 0},
                                         Place{"begun", 0x10}, Place{"after", 0x10},
                                         Place{"after other", 0x10}, Place{"executed", 0x40},
                                         Place{"half_response", 0x40, true}, Place{"response", 0x40},
                                         Place{"complete", 0xc0}, Place{"tail", 0xc0, false, true},
                                         Place{"notified", 0xc0, false, true}),
                         [](const auto& chosen) {
                           std::string name = chosen.param.order;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

TEST_P(KillPointsTest, TheDaemonDiesThereWithWhatItHasDoneInTheRing) {
  EXPECT_EXIT(serve(std::string(GetParam().order) + " 1", 1), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EQ(std::to_integer<unsigned>(bytes()[128 + 7]), GetParam().flags);
  EXPECT_EQ(bytes()[128 + 103] == std::byte{0xa5}, GetParam().torn);
  EXPECT_EQ(tail() != 0, GetParam().given);
}

TEST_P(KillPointsTest, OnlyTheLastPassageKills) {
  EXPECT_EXIT(serve(std::string(GetParam().order) + " 4", 3), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(serve(std::string(GetParam().order) + " 3", 3), testing::KilledBySignal(SIGKILL), "");
}

TEST_F(KillPointsTest, AnotherOperationIsNotMeant) {
  EXPECT_EXIT(serve("before write 1", 3), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(serve("after flush 1", 3), testing::ExitedWithCode(0), "");
}

TEST_F(KillPointsTest, WithoutAnOrderNobodyDies) {
  EXPECT_EXIT(serve("", 3), testing::ExitedWithCode(0), "");
}

TEST_F(KillPointsTest, WhatIsNoOrderIsRefused) {
  for (const char* order :
       {"begun", "begun 0", "begun 1x", "begun 1 2", "begin 1", "begun write 1", "before sync 1", "1"}) {
    EXPECT_THROW(KillPoints{order}, Failure) << order;
  }
}

}  // namespace
}  // namespace tcmufs::volume
