#pragma once

#include <sys/uio.h>

#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "scsi/geometry.h"
#include "scsi/outcome.h"
#include "scsi/sense.h"
#include "sys/integers.h"

namespace tcmufs::scsi {

struct Execution;

/// What I/O a command takes, once it has passed every check.
///
/// Kinds other than `compound` are one operation of the store and can be carried out by anybody, with a flush
/// before (read) or after it (the others) if `flush` is set; LogicalUnit::complete() then makes the answer. A
/// compound is several operations, and only LogicalUnit::execute() carries it out (and flushes, if its parts
/// went well).
struct Plan {
  enum class Kind : u8 { read, write, flush, discard, zero, compound };
  enum class Lock : u8 { none, shared, exclusive };
  using Compound = std::variant<Response, Sense> (*)(const Execution&);

  Kind kind = Kind::flush;
  /// What of `range` must not happen meanwhile: nothing that is exclusive (shared), nothing that writes
  /// (exclusive).
  Lock lock = Lock::none;
  /// Forced unit access, or the write cache is off.
  bool flush = false;
  /// read, write: exactly the bytes that move, those of `buffer`. zero: what becomes zeros. discard: what
  /// holds all `extents`. compound: what it reads and writes.
  ByteRange range;
  /// discard: the ranges to give back.
  std::vector<ByteRange> extents;
  /// read, write: the part of the command's buffer that moves, where that is not all of it.
  std::vector<iovec> part;
  Compound run = nullptr;

  static Plan compound(Compound run, Lock lock = Lock::none, ByteRange range = {}) {
    Plan plan;
    plan.kind = Kind::compound;
    plan.lock = lock;
    plan.range = range;
    plan.run = run;
    return plan;
  }
  /// Whether all it does is to write the same bytes to the same place, however often.
  bool only_writes() const noexcept { return kind == Kind::write || kind == Kind::zero; }
  Plan&& flushing(bool flush_too) && {
    flush = flush_too;
    return std::move(*this);
  }

  /// read, write: as many bytes as `range` has.
  std::span<const iovec> buffer(std::span<const iovec> whole) const noexcept {
    return part.empty() ? whole : std::span<const iovec>(part);
  }
};

}  // namespace tcmufs::scsi
