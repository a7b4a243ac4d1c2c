#pragma once

#include <array>
#include <limits>

#include "scsi/device.h"
#include "sys/big_endian.h"

namespace tcmufs::scsi {

struct ModeHeader6 {  // SPC-4, mode parameter header
  u8 data_length = 0;
  u8 medium_type = 0;
  u8 device_specific = 0;
  u8 block_descriptor_length = 0;
};
static_assert(sizeof(ModeHeader6) == 4);

struct ModeHeader10 {
  static constexpr u8 long_lba = 0x01;

  Be16 data_length;
  u8 medium_type = 0;
  u8 device_specific = 0;
  u8 flags = 0;
  u8 reserved = 0;
  Be16 block_descriptor_length;
};
static_assert(sizeof(ModeHeader10) == 8);

struct ShortBlockDescriptor {  // SBC-3, short LBA mode parameter block descriptor
  Be32 blocks;
  u8 reserved = 0;
  Be24 block_size;

  static ShortBlockDescriptor of(const Geometry& geometry) {
    constexpr u32 too_many = std::numeric_limits<u32>::max();
    ShortBlockDescriptor descriptor;
    descriptor.blocks = geometry.blocks() < too_many ? static_cast<u32>(geometry.blocks()) : too_many;
    descriptor.block_size = geometry.block_size_bytes();
    return descriptor;
  }
};
static_assert(sizeof(ShortBlockDescriptor) == 8);

struct LongBlockDescriptor {  // SBC-3, long LBA mode parameter block descriptor
  Be64 blocks;
  Be32 reserved;
  Be32 block_size;

  static LongBlockDescriptor of(const Geometry& geometry) {
    LongBlockDescriptor descriptor;
    descriptor.blocks = geometry.blocks();
    descriptor.block_size = geometry.block_size_bytes();
    return descriptor;
  }
};
static_assert(sizeof(LongBlockDescriptor) == 16);

}  // namespace tcmufs::scsi
