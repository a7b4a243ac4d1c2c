#include "medium.h"

#include <algorithm>
#include <limits>

namespace tcmufs::model {

Medium::Medium(u32 block_bytes, u64 blocks, u64 granule_bytes)
    : block_bytes_(block_bytes), blocks_(blocks), granule_bytes_(granule_bytes), space_{{0, false}} {}

Bytes Medium::block(u64 lba) const {
  const auto found = contents_.find(lba);
  return found == contents_.end() ? Bytes(block_bytes_) : found->second;
}

Bytes Medium::read(u64 lba, u64 count) const {
  Bytes data(count * block_bytes_);
  for (auto at = contents_.lower_bound(lba); at != contents_.end() && at->first < lba + count; ++at) {
    const auto offset = static_cast<std::ptrdiff_t>((at->first - lba) * block_bytes_);
    std::copy(at->second.begin(), at->second.end(), data.begin() + offset);
  }
  return data;
}

void Medium::write(u64 lba, const Bytes& data) {
  const u64 count = data.size() / block_bytes_;
  for (u64 i = 0; i < count; ++i) contents_[lba + i] = part(data, i * block_bytes_, block_bytes_);
  map(lba, count);
}

void Medium::repeat(u64 lba, u64 count, const Bytes& block) {
  for (u64 i = 0; i < count; ++i) contents_[lba + i] = block;
  map(lba, count);
}

void Medium::zero(u64 lba, u64 count) {
  forget(lba, count);
  map(lba, count);
}

void Medium::discard(u64 lba, u64 count) {
  if (count == 0) return;
  forget(lba, count);
  const u64 begin = lba * block_bytes_;
  const u64 end = begin + count * block_bytes_;
  const u64 first = (begin + granule_bytes_ - 1) / granule_bytes_;
  // The last granule of the disk may be cut off by its end.
  const u64 behind =
      lba + count == blocks_ ? (end + granule_bytes_ - 1) / granule_bytes_ : end / granule_bytes_;
  if (first < behind) set_space(first, behind - 1, false);
}

void Medium::resize(u64 blocks) {
  if (blocks < blocks_) forget(blocks, blocks_ - blocks);
  blocks_ = blocks;
  const u64 used = blocks == 0 ? 0 : last_byte() / granule_bytes_ + 1;
  set_space(used, std::numeric_limits<u64>::max() - 1, false);
}

bool Medium::mapped(u64 lba) const {
  const u64 last = (lba * block_bytes_ + block_bytes_ - 1) / granule_bytes_;
  for (u64 granule = lba * block_bytes_ / granule_bytes_; granule <= last; ++granule) {
    if (granule_mapped(granule)) return true;
  }
  return false;
}

u64 Medium::space_bytes() const {
  u64 granules = 0;
  for (auto run = space_.begin(); run != space_.end(); ++run) {
    if (run->second) granules += std::next(run)->first - run->first;
  }
  return granules * granule_bytes_;
}

u64 Medium::alike(u64 lba) const {
  const bool wanted = mapped(lba);
  u64 next = lba + 1;
  while (next < blocks_ && mapped(next) == wanted) {
    const u64 last = ((next + 1) * block_bytes_ - 1) / granule_bytes_;
    const auto run = space_.upper_bound(last);
    // As the block ends, so it goes on, up to the block in which another run begins.
    const u64 same = run == space_.end() ? blocks_ : run->first * granule_bytes_ / block_bytes_;
    next = granule_mapped(last) == wanted ? std::max(next + 1, same) : next + 1;
  }
  return std::min(next, blocks_) - lba;
}

void Medium::set_space(u64 first_granule, u64 last_granule, bool mapped) {
  const bool after = granule_mapped(last_granule + 1);
  const bool before = first_granule > 0 && granule_mapped(first_granule - 1);
  space_.erase(space_.lower_bound(first_granule), space_.upper_bound(last_granule + 1));
  if (first_granule == 0 || before != mapped) space_[first_granule] = mapped;
  if (after != mapped) space_[last_granule + 1] = after;
}

void Medium::map(u64 lba, u64 count) {
  if (count == 0) return;
  set_space(lba * block_bytes_ / granule_bytes_, ((lba + count) * block_bytes_ - 1) / granule_bytes_, true);
}

void Medium::forget(u64 lba, u64 count) {
  contents_.erase(contents_.lower_bound(lba), contents_.lower_bound(lba + count));
}

}  // namespace tcmufs::model
