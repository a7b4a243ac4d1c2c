#pragma once

#include <array>
#include <atomic>
#include <span>
#include <string>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::volume {

/// A command that has been taken from the ring and not been carried out yet.
struct InFlightCommand {
  u64 taken_ns = 0;
  std::array<u8, 16> cdb{};  // all that there is of those that take I/O
};

/// The commands that an engine has, for those who ask why nothing goes on: kept apart from the ring, which is
/// shared memory. Written by one thread at a time, with plain stores; commands() may be called by any thread,
/// and waits for nothing, also while the writer hangs in a system call.
class InFlight {
 public:
  static constexpr std::size_t capacity = 128;

  /// `slot`, below capacity, is free. `taken_ns`, not 0, differs from that of the slot's command before.
  void begin(std::size_t slot, std::span<const u8, 16> cdb, u64 taken_ns) noexcept;
  void end(std::size_t slot) noexcept;

  /// Oldest first.
  std::vector<InFlightCommand> commands() const;

 private:
  // Half a cache line, so that a command touches one.
  struct alignas(32) Slot {
    std::atomic<u64> taken_ns = 0;  // 0: free; stored after the CDB, and looked at before and after
    std::array<std::atomic<u64>, 2> cdb{};
  };
  std::array<Slot, capacity> slots_;
};

/// The file `inflight` in .ctl/vol/PATH: a line for each command, "MILLISECONDS READ(10) lba 2048 blocks 8".
std::string in_flight_text(const std::vector<InFlightCommand>& commands, u64 now_ns);

/// A CDB in words, with the address and the number of blocks where it has them; one of an unknown operation
/// as hexadecimal bytes.
std::string cdb_text(std::span<const u8, 16> cdb);

}  // namespace tcmufs::volume
