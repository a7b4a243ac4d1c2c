#pragma once

#include <array>
#include <map>
#include <random>
#include <set>
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
/// that. So a write that is lost shows, and one that is done again after a later one was acknowledged. A
/// COMPARE AND WRITE that is GOOD has found the stamp it expected, which nobody can find after it; one that
/// is not has written nothing. So a lock that two have shows, and one that is taken away.
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
  void check_image(const std::vector<u8>& image);
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
    bool hopeless = false;  // COMPARE AND WRITE: no write has what it expects
    bool repeated = false;
    u32 lba = 0;
    u32 count = 0;  // blocks
    u64 stamp = 0;  // what it writes
    u64 expected = 0;
    u64 issued = 0;
    std::vector<Stamps>
        seen;  // read, COMPARE AND WRITE: what it may find; flush: what may be on the disk afterwards

    bool writes() const { return kind != Kind::read && kind != Kind::flush; }
    bool compares() const { return kind == Kind::compare_and_write; }
    bool changes() const { return writes() && !hopeless; }
  };

  Command random_command();
  bool queue(test::FakeKernelRing& kernel, Command command);
  void begin(Command& command);
  void end(const Command& command, bool good);
  void has_matched(const Command& command);
  void has_not_matched(const Command& command);
  template <typename Visit>
  void for_each_unanswered(Visit visit);
  void check_data(const Command& command, const std::vector<u8>& data);
  void check_sense(const Command& command, const std::vector<u8>& sense);

  std::mt19937_64 random_;
  u64 clock_ = 0;
  u64 last_stamp_ = 0;
  std::size_t answered_ = 0;
  bool faults_ = false;
  bool durability_known_ = true;
  std::map<u16, Command> waiting_;
  std::vector<Command> again_;
  std::set<u64> found_;  // stamps that have been on the disk for sure
  std::array<Stamps, blocks> now_ = nothing_written();
  std::array<Stamps, blocks> durable_ = nothing_written();

  static std::array<Stamps, blocks> nothing_written() {
    std::array<Stamps, blocks> all;
    all.fill(Stamps{{0, {0, 0}}});
    return all;
  }
};

}  // namespace tcmufs::simulation
