#pragma once

#include "scsi/identity.h"
#include "sys/integers.h"

namespace tcmufs::scsi {

/// What the Block Limits VPD page promises and the commands check. Units are logical blocks.
struct Limits {
  /// A command's data has to fit into the ring's data area: the kernel refuses what does not.
  static constexpr u32 transfer_bytes = 8u << 20;
  /// Bound what one command can keep others waiting for, where the store has to write zeros: an initiator
  /// gives it 30 s.
  static constexpr u32 unmap_bytes = 512u << 20;
  static constexpr u32 write_same_bytes = 16u << 20;

  u32 transfer;          // of one READ, WRITE, VERIFY, ...
  u32 optimal_transfer;  // a multiple of the physical block
  u8 compare_and_write;
  u32 unmap;              // of all descriptors of one UNMAP together
  u32 unmap_descriptors;  // of one UNMAP
  u32 unmap_granularity;  // less than this may give no space back
  u32 write_same;

  static constexpr Limits of(const Format& format) noexcept {
    const u32 block = format.block_size_bytes;
    const u32 unit = format.physical_block_size_bytes < format.allocation_unit_bytes
                         ? format.allocation_unit_bytes
                         : format.physical_block_size_bytes;
    return {
        .transfer = transfer_bytes / block,
        .optimal_transfer = (1u << 20) / block,
        .compare_and_write = 255,
        .unmap = unmap_bytes / block,
        .unmap_descriptors = 256,
        .unmap_granularity = unit / block,
        .write_same = write_same_bytes / block,
    };
  }
};

}  // namespace tcmufs::scsi
