#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <span>
#include <string_view>

#include "scsi/outcome.h"
#include "scsi/plan.h"
#include "sys/integers.h"
#include "volume/in_flight.h"
#include "volume/space_wait.h"

namespace tcmufs::volume {

/// Classes of commands.
enum class Operation : u8 {
  read,
  write,    // WRITE, WRITE AND VERIFY
  flush,    // SYNCHRONIZE CACHE
  discard,  // UNMAP, WRITE SAME
  other,
};
inline constexpr std::size_t operation_count = 5;

std::string_view operation_name(Operation operation) noexcept;
Operation operation_of(std::span<const u8> cdb) noexcept;
/// What of the medium a plan is about; 0 for a flush.
u64 bytes_of(const scsi::Plan& plan) noexcept;

/// The buckets of latency histograms, of nanoseconds: the first is [0, 256), then four of equal width for
/// each power of two, so that none is wider than a quarter of its lower bound; the last, from 2^36 (69 s),
/// has no end.
class LatencyBuckets {
 public:
  static constexpr std::size_t count = 1 + 4 * (36 - 8) + 1;

  static constexpr std::size_t index_of(u64 ns) noexcept {
    if (ns < (u64{1} << first_exponent)) return 0;
    const auto exponent = static_cast<unsigned>(std::bit_width(ns)) - 1;
    if (exponent >= end_exponent) return count - 1;
    const u64 quarter = (ns >> (exponent - 2)) & 3;
    return 1 + 4 * (exponent - first_exponent) + static_cast<std::size_t>(quarter);
  }
  /// The lowest value of a bucket; of `count`: no value is that high.
  static constexpr u64 lower_bound(std::size_t index) noexcept {
    if (index == 0) return 0;
    if (index == count) return ~u64{0};
    const std::size_t step = index - 1;
    return (4 + step % 4) << (first_exponent - 2 + step / 4);
  }

 private:
  static constexpr unsigned first_exponent = 8;
  static constexpr unsigned end_exponent = 36;
};

/// The figures of one class of commands, at one moment.
struct OperationFigures {
  u64 bytes = 0;   // of commands that went well
  u64 errors = 0;  // commands whose status was neither GOOD nor CONDITION MET
  u64 time_ns = 0;
  u64 max_ns = 0;
  std::array<u64, LatencyBuckets::count> histogram{};  // of all commands

  u64 commands() const noexcept;
  double mean_ns() const noexcept;  // 0: there were no commands
  /// At least `per_mille` of 1000 commands took no longer: never too low, and at most a quarter too high, or
  /// 256 ns where that is more.
  u64 percentile_ns(unsigned per_mille) const noexcept;
};

/// What statistics say, at one moment. Figures that change together may differ by what happens meanwhile.
struct StatisticsFigures {
  std::array<OperationFigures, operation_count> operations;
  u64 batches = 0;
  u64 kicks = 0;
  u64 in_flight = 0;

  u64 commands() const noexcept;
};

/// Counts and latencies of a volume's commands. Written by one thread at a time, that which serves its ring;
/// figures() may be called by any thread, and waits for nothing.
///
/// A latency begins when a batch of commands is taken from the ring, and ends when the command has been
/// carried out: the clock is read once for each batch and once for all that are finished at a time.
class Statistics {
 public:
  /// `in_flight`: those included.
  void batch_taken(u64 in_flight) noexcept;
  void finished(Operation operation, u64 bytes, scsi::Status status, u64 took_ns) noexcept;
  void set_in_flight(u64 in_flight) noexcept { in_flight_.store(in_flight, std::memory_order_relaxed); }
  /// The kernel has been told of answers.
  void kicked() noexcept { kicks_.add(1); }

  StatisticsFigures figures() const noexcept;

  /// What becomes of writes for which there is no room.
  SpaceWait& space_wait() noexcept { return space_wait_; }
  /// What the engine has, command by command.
  InFlight& commands_in_flight() noexcept { return commands_in_flight_; }
  const InFlight& commands_in_flight() const noexcept { return commands_in_flight_; }

 private:
  // With one writer a load and a store are enough: an atomic addition would lock the bus.
  class Counter {
   public:
    void add(u64 more) noexcept { value_.store(value() + more, std::memory_order_relaxed); }
    void raise_to(u64 at_least) noexcept {
      if (value() < at_least) value_.store(at_least, std::memory_order_relaxed);
    }
    u64 value() const noexcept { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<u64> value_ = 0;
  };
  struct Counters {
    Counter bytes;
    Counter errors;
    Counter time_ns;
    Counter max_ns;
    std::array<Counter, LatencyBuckets::count> histogram;
  };

  std::array<Counters, operation_count> operations_;
  Counter batches_;
  Counter kicks_;
  std::atomic<u64> in_flight_ = 0;
  SpaceWait space_wait_;
  InFlight commands_in_flight_;
};

}  // namespace tcmufs::volume
