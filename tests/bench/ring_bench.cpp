// What a command costs without its I/O and without the kernel: a ring in plain memory, a store that does
// nothing, one thread. A pass is 512 commands of 4 KiB which a fake kernel has queued before, off the clock;
// the clock runs while they become visible, `depth` at a time, and are served. Rates are of
// commands.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <vector>

#include "support/fake_kernel_ring.h"
#include "support/null_store.h"
#include "volume/clock.h"
#include "volume/dispatcher.h"
#include "volume/positional_engine.h"

namespace tcmufs::test {
namespace {

constexpr std::size_t pass_commands = 512;
constexpr std::int64_t passes = 100;
constexpr std::size_t transfer_bytes = 4096;
constexpr u64 disk_bytes = u64{1} << 30;
constexpr std::size_t mailbox_head = 12;

enum class Direction { read, write };

/// 512 commands in a ring that shows as many of them as it is told to.
class Pass {
 public:
  explicit Pass(Direction direction) : direction_(direction) {}

  /// Queues the commands anew, and hides them.
  void prepare() {
    const u32 start = visible();
    heads_.clear();
    const std::vector<u8> data(transfer_bytes, 0x5a);
    for (std::size_t i = 0; i < pass_commands; ++i) {
      // Blocks of the whole disk, and none after its neighbour.
      const auto lba = static_cast<u32>((i * 2'654'435'761U % (disk_bytes / transfer_bytes)) * 8);
      const auto opcode = static_cast<u8>(direction_ == Direction::read ? 0x28 : 0x2a);
      const std::array<u8, 10> cdb = {opcode,
                                      0,
                                      static_cast<u8>(lba >> 24),
                                      static_cast<u8>(lba >> 16),
                                      static_cast<u8>(lba >> 8),
                                      static_cast<u8>(lba),
                                      0,
                                      0,
                                      8,
                                      0};
      const bool queued = direction_ == Direction::read ? kernel_.queue(cdb, {}, transfer_bytes).has_value()
                                                        : kernel_.queue(cdb, data).has_value();
      if (!queued) throw std::logic_error("a pass does not fit into the ring");
      heads_.push_back(visible());
    }
    show(start);
  }
  /// Shows the first `count` commands.
  void reveal(std::size_t count) { show(heads_[count - 1]); }
  /// Every command must have been given back, with GOOD.
  void check() {
    kernel_.notify();
    const auto completions = kernel_.completions();
    if (kernel_.broken() || completions.size() != pass_commands)
      throw std::logic_error("not all has come back");
    for (const auto& completion : completions) {
      if (completion.status != 0) throw std::logic_error("a command has failed");
    }
  }
  std::span<std::byte> memory() { return bytes_.span(); }

 private:
  std::atomic_ref<u32> head() {
    return std::atomic_ref(*reinterpret_cast<u32*>(bytes_.span().data() + mailbox_head));
  }
  u32 visible() { return head().load(std::memory_order_relaxed); }
  void show(u32 position) { head().store(position, std::memory_order_release); }

  static constexpr FakeKernelRing::Shape shape = {.cmdr_bytes = 192 * pass_commands,
                                                  .data_blocks = pass_commands};
  const Direction direction_;
  RingBytes bytes_{shape.map_bytes()};
  FakeKernelRing kernel_{bytes_.span(), shape};
  std::vector<u32> heads_;
};

struct Disk {
  NullStore store{disk_bytes};
  scsi::LogicalUnit unit{scsi::Identity{.uuid = Uuid::random()}, scsi::Format{512, 4096, disk_bytes}};
  volume::PositionalEngine engine{unit, store};
};

/// Seconds this thread has run between start and stop: others on the machine do not count.
class Clock {
 public:
  void start() { start_ = now(); }
  double stop() const { return now() - start_; }

 private:
  static double now() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }

  double start_ = 0;
};

void count(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(pass_commands));
}

/// All of it, as volume::Server does it.
void whole(benchmark::State& state, Direction direction) {
  const auto depth = static_cast<std::size_t>(state.range(0));
  Pass pass(direction);
  Disk disk;
  volume::Statistics statistics;
  volume::Dispatcher dispatcher(pass.memory(), disk.unit, disk.engine, statistics);
  Clock clock;
  for (auto _ : state) {
    pass.prepare();
    clock.start();
    for (std::size_t shown = depth; shown <= pass_commands; shown += depth) {
      pass.reveal(shown);
      while (dispatcher.take(volume::now_ns()) > 0) {
        dispatcher.finish();
        benchmark::DoNotOptimize(dispatcher.ring().commit());
      }
    }
    state.SetIterationTime(clock.stop());
    pass.check();
  }
  count(state);
}

enum class Step { parse, dispatch, complete };

/// One step of it for all commands of a pass, then the next.
void step(benchmark::State& state, Step measured) {
  const auto depth = static_cast<std::size_t>(state.range(0));
  Pass pass(Direction::read);
  Disk disk;
  tcmu::Ring ring(pass.memory());
  std::vector<volume::Job> jobs(pass_commands);
  std::vector<volume::Job*> batch(depth);
  Clock clock;
  const auto timed = [&](Step which, auto&& work) {
    clock.start();
    for (std::size_t first = 0; first < pass_commands; first += depth)
      work(std::span(jobs).subspan(first, depth));
    const double seconds = clock.stop();
    if (which == measured) state.SetIterationTime(seconds);
  };
  for (volume::Job& job : jobs) job.ring = &ring;
  for (auto _ : state) {
    pass.prepare();
    std::size_t shown = 0;
    timed(Step::parse, [&](std::span<volume::Job> group) {
      pass.reveal(shown += depth);
      for (volume::Job& job : group) job.command = ring.take();
    });
    timed(Step::dispatch, [&](std::span<volume::Job> group) {
      for (std::size_t i = 0; i < depth; ++i) {
        auto outcome = disk.unit.start({group[i].command->cdb_bytes(), group[i].command->buffer});
        group[i].plan = std::move(std::get<scsi::Plan>(outcome));
        batch[i] = &group[i];
      }
      disk.engine.submit(batch);
      benchmark::DoNotOptimize(disk.engine.reap());
    });
    timed(Step::complete, [&](std::span<volume::Job> group) {
      for (volume::Job& job : group) {
        const scsi::Response& response = job.response;
        ring.finish(*job.command,
                    {static_cast<u8>(response.status), response.sense.span(), response.data_in_bytes});
      }
      benchmark::DoNotOptimize(ring.commit());
    });
    pass.check();
  }
  count(state);
}

/// The yardstick: 4 KiB, of as many different ones as a pass has.
void memcpy_4k(benchmark::State& state) {
  std::vector<u8> from(pass_commands * transfer_bytes, 1);
  std::vector<u8> to(from.size());
  Clock clock;
  for (auto _ : state) {
    clock.start();
    for (std::size_t at = 0; at < from.size(); at += transfer_bytes) {
      std::memcpy(to.data() + at, from.data() + at, transfer_bytes);
      benchmark::ClobberMemory();
    }
    state.SetIterationTime(clock.stop());
  }
  count(state);
}

void at_each_depth(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("depth")->Arg(1)->Arg(32)->Arg(256)->UseManualTime()->Iterations(passes);
}

BENCHMARK(memcpy_4k)->UseManualTime()->Iterations(passes);
BENCHMARK_CAPTURE(whole, read, Direction::read)->Apply(at_each_depth);
BENCHMARK_CAPTURE(whole, write, Direction::write)->Apply(at_each_depth);
BENCHMARK_CAPTURE(step, parse, Step::parse)->Apply(at_each_depth);
BENCHMARK_CAPTURE(step, dispatch, Step::dispatch)->Apply(at_each_depth);
BENCHMARK_CAPTURE(step, complete, Step::complete)->Apply(at_each_depth);

}  // namespace
}  // namespace tcmufs::test

BENCHMARK_MAIN();
