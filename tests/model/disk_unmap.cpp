// Thin provisioning: UNMAP (SBC-3 5.28) and GET LBA STATUS (5.4).
#include <algorithm>

#include "disk.h"
#include "policy.h"

namespace tcmufs::model {

Expectation Disk::unmap(const Bytes& cdb, const Bytes& buffer) {
  constexpr std::size_t header = 8, descriptor = 16;
  const u64 length = number(cdb, 7, 2);
  if (length == 0) return {};
  if (length < header || buffer.size() < header) return refusal(problem::list_length);
  const u64 count = std::min<u64>(number(buffer, 2, 2), length - header) / descriptor;
  if (count > limits_.unmap_descriptors) return refusal(problem::list(2));
  if (buffer.size() < header + count * descriptor) return refusal(problem::list_length);

  Expectation result;
  u64 total = 0;
  for (std::size_t at = header; at < header + count * descriptor; at += descriptor) {
    const u64 lba = number(buffer, at, 8), blocks = number(buffer, at + 8, 4);
    if (const auto wrong = range_problem(lba, blocks, blocks, 0)) return refusal(*wrong);
    total += blocks;
    if (total > limits_.unmap) return refusal(problem::list(at + 8));
    if (blocks > 0) result.changes.push_back({lba, blocks});
  }
  if (hopeless(result)) return result;
  for (const auto& range : result.changes) medium_.discard(range.lba, range.blocks);
  return result;
}

Expectation Disk::lba_status(const Bytes& cdb) const {
  u64 lba = number(cdb, 2, 8);
  const u64 allocation = number(cdb, 10, 4);
  if (lba >= blocks()) return refusal(problem::out_of_range.with(lba));
  const u64 room = allocation > 8 ? (allocation - 8) / 16 : 0;
  const u64 most = std::clamp<u64>(room, 1, policy::lba_status_descriptors);
  constexpr u64 longest = 0xffffffff;
  Bytes data(8);
  for (u64 count = 0; count < most && lba < blocks(); ++count) {
    const u64 alike = medium_.alike(lba);
    const u8 status = medium_.mapped(lba) ? 0 : 1;
    data = join({data, field(lba, 8), field(std::min(alike, longest), 4), {status, 0, 0, 0}});
    if (alike > longest) break;
    lba += alike;
  }
  place(data, 0, data.size() - 4, 4);
  return reply(data, allocation);
}

}  // namespace tcmufs::model
