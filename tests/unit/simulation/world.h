#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store/block_store.h"
#include "tcmu/ring_memory.h"
#include "unit/simulation/initiator.h"

namespace tcmufs::simulation {

/// Where daemons have died, and what in: "before write", "mark", "tail".
using Deaths = std::map<std::string, unsigned>;

/// A machine in one thread: an initiator, the kernel's side of the ring, a daemon (ring, dispatcher, SCSI,
/// engine: all real), and an image whose last writes are lost if the power fails. What happens next is chosen
/// at random from a seed.
///
/// At many instants of the daemon's life a copy of the machine is made on which it has died there; another
/// daemon takes over, and everything must have been done once, in effect, and nothing be lost.
class World final : public store::BlockStore, public tcmu::StoreObserver {
 public:
  struct Options {
    u64 seed = 1;
    bool faults = false;  // of the store
  };
  World(const Options& options, Deaths& deaths);
  ~World() override = default;

  /// Lives for so many steps, dying now and then, and then answers what is left.
  void live(unsigned steps);

  std::size_t answered() const { return initiator_.answered(); }

 private:
  class Daemon;

  World(const World& other);

  // What the daemon does to its image.
  u64 size_bytes() const noexcept override { return image_.size(); }
  int descriptor() const noexcept override { return -1; }
  u32 allocation_unit_bytes() const noexcept override { return 4096; }
  std::error_code read(u64 offset, std::span<const iovec> buffers) noexcept override;
  std::error_code write(u64 offset, std::span<const iovec> buffers) noexcept override;
  std::error_code flush() noexcept override;
  std::error_code discard(u64 offset, u64 length) noexcept override;
  std::error_code zero(u64 offset, u64 length) noexcept override;
  std::error_code resize(u64 size_bytes) noexcept override;
  std::error_code extent(u64 offset, Extent& result) noexcept override;

  void stored(tcmu::Store what, std::span<std::byte> bytes) noexcept override;

  u32 pick(u32 below) { return initiator_.pick(below); }
  bool fault(u32 one_in = 40);
  void may_die(const std::string& where);
  void die_in_a_response();
  void take_over(const std::string& where);
  void cut_power();
  void queue_one();
  void look_at_ring();
  void finish(Daemon& daemon);
  void give_back(Daemon& daemon);
  std::error_code fill(const char* what, u64 offset, u64 length);
  std::span<std::byte> ring_bytes();

  static constexpr test::FakeKernelRing::Shape shape{.cmdr_bytes = 2200, .data_blocks = 16};
  static constexpr int generations = 3;

  Deaths& deaths_;
  bool faults_;
  int generation_ = 0;
  test::RingBytes memory_;
  test::FakeKernelRing kernel_;
  Initiator initiator_;
  std::vector<u8> image_;
  std::vector<u8> stable_;            // what a power cut leaves at least of it
  std::vector<bool> dirty_;           // by block
  bool flush_failed_ = false;         // of this daemon
  std::vector<std::byte> last_ring_;  // as it was before the next store of the daemon
};

}  // namespace tcmufs::simulation
