#pragma once

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/fake_kernel_ring.h"
#include "sys/integers.h"

namespace tcmufs::simulation {

inline constexpr u32 block_bytes = 512;
inline constexpr u32 blocks = 64;

/// Queues random commands into a fake kernel, many at once, and knows what each may be answered with and what
/// may be on the disk. Can be copied together with the kernel.
///
/// Every write has a stamp of its own, which fills its blocks. A block may hold the stamp of any write that
/// is under way, or that ended after the last one that was acknowledged had begun; never one from before
/// that. So a write that is lost shows, and one that is done again after a later one was acknowledged.
class Initiator {
 public:
  explicit Initiator(u64 seed) : random_(seed) {}

  u32 pick(u32 below) { return std::uniform_int_distribution<u32>(0, below - 1)(random_); }

  /// Queues one command, if there is room; one that has to be repeated if there is any.
  void queue_one(test::FakeKernelRing& kernel);
  /// Looks at what has been completed.
  void check(test::FakeKernelRing& kernel);
  /// Whether every command has been answered for good.
  bool content() const { return waiting_.empty() && again_.empty(); }
  std::size_t answered() const { return answered_; }

  /// From now on commands may fail, in the way that a store's error is reported.
  void fault_happened() { faults_ = true; }
  /// A flush has failed, and who knew of it has died: nothing more is said of what a power cut leaves.
  void forget_flushes() { durability_known_ = false; }

  /// Fails the test if what the disk has is not possible.
  void check_image(const std::vector<u8>& image) const;
  void check_after_power_cut(const std::vector<u8>& image) const;

 private:
  enum class Kind : u8 { read, write, flush, unmap, write_same, compare_and_write };
  static constexpr u64 never = ~u64{0};

  struct Stamp {
    u64 issued = 0;
    u64 ended = never;
  };
  using Stamps = std::map<u64, Stamp>;  // by value

  struct Command {
    Kind kind = Kind::read;
    bool fua = false;
    bool matches = true;  // COMPARE AND WRITE
    bool repeated = false;
    u32 lba = 0;
    u32 count = 0;  // blocks
    u64 stamp = 0;  // what it writes
    u64 expected = 0;
    u64 issued = 0;
    std::vector<Stamps> seen;  // read: what it may return; flush: what there may be on the disk afterwards

    bool writes() const { return kind != Kind::read && kind != Kind::flush; }
    bool changes() const { return writes() && matches; }
  };

  Command random_command();
  bool writers_on(u32 block) const;
  bool queue(test::FakeKernelRing& kernel, Command command);
  void begin(Command& command);
  void end(const Command& command, bool good);
  void check_data(const Command& command, const std::vector<u8>& data) const;
  void check_sense(const Command& command, const std::vector<u8>& sense);

  std::mt19937_64 random_;
  u64 clock_ = 0;
  u64 last_stamp_ = 0;
  std::size_t answered_ = 0;
  bool faults_ = false;
  bool durability_known_ = true;
  std::map<u16, Command> waiting_;
  std::vector<Command> again_;
  std::array<Stamps, blocks> now_ = nothing_written();
  std::array<Stamps, blocks> durable_ = nothing_written();

  static std::array<Stamps, blocks> nothing_written() {
    std::array<Stamps, blocks> all;
    all.fill(Stamps{{0, {0, 0}}});
    return all;
  }
};

}  // namespace tcmufs::simulation
