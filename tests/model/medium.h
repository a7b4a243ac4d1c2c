#pragma once

#include <map>

#include "bytes.h"

namespace tcmufs::model {

/// The blocks of a disk, and which of its space is allocated. Space is given out in granules.
class Medium {
 public:
  Medium(u32 block_bytes, u64 blocks, u64 granule_bytes);

  u64 blocks() const { return blocks_; }
  u32 block_bytes() const { return block_bytes_; }

  Bytes block(u64 lba) const;
  Bytes read(u64 lba, u64 count) const;
  /// `data` is whole blocks.
  void write(u64 lba, const Bytes& data);
  /// The same block `count` times.
  void repeat(u64 lba, u64 count, const Bytes& block);
  /// Zeros that take space.
  void zero(u64 lba, u64 count);
  /// Zeros; what granules fill the range give their space back.
  void discard(u64 lba, u64 count);
  /// Smaller: what is beyond is lost. Larger: the new blocks are holes.
  void resize(u64 blocks);

  /// What has come of a granule, or of a block, by other means.
  void assume_granule(u64 granule, bool mapped) { set_space(granule, granule, mapped); }
  void assume_block(u64 lba, const Bytes& data) { contents_[lba] = data; }
  bool granule_mapped(u64 granule) const { return std::prev(space_.upper_bound(granule))->second; }
  /// Of all granules that are mapped.
  u64 space_bytes() const;
  u64 granule_bytes() const { return granule_bytes_; }
  const std::map<u64, Bytes>& contents() const { return contents_; }

  /// Whether any byte of the block has space.
  bool mapped(u64 lba) const;
  /// How many blocks from `lba` on are mapped, or not, as it is.
  u64 alike(u64 lba) const;

 private:
  u64 last_byte() const { return blocks_ * block_bytes_ - 1; }
  void set_space(u64 first_granule, u64 last_granule, bool mapped);
  void map(u64 lba, u64 count);
  void forget(u64 lba, u64 count);

  u32 block_bytes_;
  u64 blocks_;
  u64 granule_bytes_;
  std::map<u64, Bytes> contents_;  // by LBA; what is not here is zeros
  std::map<u64, bool> space_;      // by the granule with which a run begins
};

}  // namespace tcmufs::model
