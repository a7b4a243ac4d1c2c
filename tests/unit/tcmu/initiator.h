#pragma once

#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "unit/tcmu/ring_bench.h"

namespace tcmufs::test {

/// Queues random commands into a fake kernel, executes them, and knows what each must be answered with. Can
/// be copied together with the kernel.
class Initiator {
 public:
  explicit Initiator(unsigned seed) : random_(seed) {}

  /// False: no room.
  bool queue_one(FakeKernelRing& kernel);

  /// Does what the command says, and finishes it. The command must be one that was queued, unharmed.
  void execute(tcmu::Ring& ring, tcmu::RingCommand& command) const;

  /// Every completion must be the next one in the order of queueing, and right. Commands in `torn` may have
  /// lost their response: if it was more than GOOD they must have been aborted.
  void check(FakeKernelRing& kernel, const std::set<u32>& torn = {});

  static u32 serial(const tcmu::RingCommand& command);
  u32 pick(u32 below) { return std::uniform_int_distribution<u32>(0, below - 1)(random_); }
  std::size_t answered() const { return answered_; }

 private:
  enum class Kind : u8 { data_out, data_in, short_data_in, failing };
  struct Expected {
    u32 serial = 0;
    Kind kind = Kind::data_out;
    std::size_t bytes = 0;

    std::size_t valid_in() const {
      return kind == Kind::data_in ? bytes : kind == Kind::short_data_in ? bytes / 3 : 0;
    }
    bool more_than_good() const {
      return kind == Kind::failing || (kind == Kind::short_data_in && valid_in() > 0);
    }
  };

  void check_one(const FakeKernelRing::Completion& completion, const Expected& expected, bool torn);

  std::mt19937 random_;
  u32 serial_ = 0;
  std::size_t answered_ = 0;
  std::map<u16, Expected> waiting_;
  std::deque<u16> order_;
};

}  // namespace tcmufs::test
