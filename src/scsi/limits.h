#pragma once

#include "sys/integers.h"

namespace tcmufs::scsi {

/// What the Block Limits VPD page promises and the commands check. Units are logical blocks.
struct Limits {
  u32 transfer;          // of one READ, WRITE, VERIFY, ...
  u32 optimal_transfer;  // a multiple of the physical block
  u8 compare_and_write;
  u32 unmap;              // of all descriptors of one UNMAP together
  u32 unmap_descriptors;  // of one UNMAP
  u32 write_same;

  static constexpr Limits of(u32 block_size_bytes) noexcept {
    constexpr u32 mebibyte = 1u << 20;
    return {
        .transfer = 32 * mebibyte / block_size_bytes,
        .optimal_transfer = mebibyte / block_size_bytes,
        .compare_and_write = 255,
        .unmap = 1u << 20,
        .unmap_descriptors = 256,
        .write_same = 1u << 20,
    };
  }
};

}  // namespace tcmufs::scsi
