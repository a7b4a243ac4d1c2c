#include <limits>

#include "scsi/buffer.h"
#include "scsi/cdb.h"
#include "scsi/handlers.h"

namespace tcmufs::scsi {

namespace {

constexpr u64 no_limit = std::numeric_limits<u64>::max();

std::variant<ByteRange, Sense> addressed_range(const Request& request, const Addressed& to,
                                               u64 limit_blocks) {
  return checked_range(request, to.lba, to.length_blocks, limit_blocks, to.length_byte);
}

}  // namespace

Answer read(const Request& request) {
  const Addressed from = addressed(request.cdb());
  const auto checked = addressed_range(request, from, request.device.limits().transfer);
  if (const auto* sense = std::get_if<Sense>(&checked)) return *sense;
  const auto& range = std::get<ByteRange>(checked);

  const u64 room = length_bytes(request.command.buffer);
  Plan plan;
  plan.kind = Plan::Kind::read;
  plan.flush = from.force_unit_access();
  plan.range = range.first(room);
  if (plan.range.empty()) return done();
  if (room > range.length_bytes()) plan.part = slice(request.command.buffer, 0, range.length_bytes());
  return plan;
}

Answer write(const Request& request) {
  const Addressed to = addressed(request.cdb());
  const auto checked = addressed_range(request, to, request.device.limits().transfer);
  if (const auto* sense = std::get_if<Sense>(&checked)) return *sense;
  const auto& range = std::get<ByteRange>(checked);
  if (range.empty()) return taken();

  const u64 given = length_bytes(request.command.buffer);
  if (given < range.length_bytes()) return sense::invalid_cdb_field(to.length_byte);
  Plan plan;
  plan.kind = Plan::Kind::write;
  plan.lock = Plan::Lock::shared;
  plan.flush = to.force_unit_access();
  plan.range = range;
  if (given > range.length_bytes()) plan.part = slice(request.command.buffer, 0, range.length_bytes());
  return plan;
}

Answer synchronize_cache(const Request& request) {
  const auto checked = addressed_range(request, addressed(request.cdb()), no_limit);
  if (const auto* sense = std::get_if<Sense>(&checked)) return *sense;
  Plan plan;
  plan.kind = Plan::Kind::flush;
  plan.flush = true;
  return plan;
}

Answer pre_fetch(const Request& request) {
  const auto checked = addressed_range(request, addressed(request.cdb()), no_limit);
  if (const auto* sense = std::get_if<Sense>(&checked)) return *sense;
  return done();
}

}  // namespace tcmufs::scsi
