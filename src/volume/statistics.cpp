#include "volume/statistics.h"

#include <algorithm>
#include <numeric>

namespace tcmufs::volume {

namespace {

constexpr std::array<Operation, 256> operation_by_opcode = [] {
  std::array<Operation, 256> table{};
  table.fill(Operation::other);
  for (const unsigned opcode : {0x08U, 0x28U, 0x88U, 0xa8U}) table[opcode] = Operation::read;
  for (const unsigned opcode : {0x0aU, 0x2aU, 0x8aU, 0xaaU, 0x2eU, 0x8eU, 0xaeU})
    table[opcode] = Operation::write;
  for (const unsigned opcode : {0x35U, 0x91U}) table[opcode] = Operation::flush;
  for (const unsigned opcode : {0x41U, 0x42U, 0x93U}) table[opcode] = Operation::discard;
  return table;
}();

}  // namespace

std::string_view operation_name(Operation operation) noexcept {
  constexpr std::array<std::string_view, operation_count> names = {"read", "write", "flush", "discard",
                                                                   "other"};
  return names[static_cast<std::size_t>(operation)];
}

Operation operation_of(std::span<const u8> cdb) noexcept {
  return cdb.empty() ? Operation::other : operation_by_opcode[cdb[0]];
}

u64 bytes_of(const scsi::Plan& plan) noexcept {
  if (plan.kind == scsi::Plan::Kind::flush) return 0;
  if (plan.kind != scsi::Plan::Kind::discard) return plan.range.length_bytes();
  u64 bytes = 0;
  for (const scsi::ByteRange& extent : plan.extents) bytes += extent.length_bytes();
  return bytes;
}

u64 OperationFigures::commands() const noexcept {
  return std::accumulate(histogram.begin(), histogram.end(), u64{0});
}

double OperationFigures::mean_ns() const noexcept {
  const u64 all = commands();
  return all == 0 ? 0 : static_cast<double>(time_ns) / static_cast<double>(all);
}

u64 OperationFigures::percentile_ns(unsigned per_mille) const noexcept {
  const u64 all = commands();
  if (all == 0) return 0;
  const u64 rank = std::max<u64>(1, (all * per_mille + 999) / 1000);
  u64 passed = 0;
  std::size_t index = 0;
  while ((passed += histogram[index]) < rank) ++index;
  return std::min(LatencyBuckets::lower_bound(index + 1) - 1, max_ns);
}

u64 StatisticsFigures::commands() const noexcept {
  u64 all = 0;
  for (const OperationFigures& operation : operations) all += operation.commands();
  return all;
}

void Statistics::batch_taken(u64 in_flight) noexcept {
  batches_.add(1);
  set_in_flight(in_flight);
}

void Statistics::finished(Operation operation, u64 bytes, scsi::Status status, u64 took_ns) noexcept {
  Counters& counters = operations_[static_cast<std::size_t>(operation)];
  if (status == scsi::Status::good || status == scsi::Status::condition_met) {
    counters.bytes.add(bytes);
  } else {
    counters.errors.add(1);
  }
  counters.time_ns.add(took_ns);
  counters.max_ns.raise_to(took_ns);
  counters.histogram[LatencyBuckets::index_of(took_ns)].add(1);
}

StatisticsFigures Statistics::figures() const noexcept {
  StatisticsFigures result;
  for (std::size_t i = 0; i < operation_count; ++i) {
    const Counters& from = operations_[i];
    OperationFigures& to = result.operations[i];
    for (std::size_t bucket = 0; bucket < LatencyBuckets::count; ++bucket) {
      to.histogram[bucket] = from.histogram[bucket].value();
    }
    to.bytes = from.bytes.value();
    to.errors = from.errors.value();
    to.time_ns = from.time_ns.value();
    to.max_ns = from.max_ns.value();
  }
  result.batches = batches_.value();
  result.kicks = kicks_.value();
  result.in_flight = in_flight_.load(std::memory_order_relaxed);
  return result;
}

}  // namespace tcmufs::volume
