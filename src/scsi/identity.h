#pragma once

#include <string>
#include <vector>

#include "sys/integers.h"
#include "sys/uuid.h"

namespace tcmufs::scsi {

/// What a disk is, to its initiators.
struct Identity {
  Uuid uuid;
  std::string vendor = "TCMUFS";
  std::string product = "Virtual Disk";
  std::string revision = "0001";
  std::string serial{};   // unit serial number; empty: the digits of the uuid
  std::vector<u8> naa{};  // its NAA designator: 8 bytes of NAA 5, 16 of NAA 6; empty: it comes from the uuid

  std::string serial_number() const { return serial.empty() ? uuid.hex() : serial; }

  bool operator==(const Identity&) const = default;
};

struct Format {
  u32 block_size_bytes = 512;            // 512, 1024, 2048 or 4096
  u32 physical_block_size_bytes = 4096;  // that, or more: a power of two, at most 1 MiB
  u64 size_bytes = 0;                    // a multiple of block_size_bytes
  bool read_only = false;                // write-protected from the first command on
  u32 allocation_unit_bytes = 1;         // of the store: a power of two, at most 1 MiB
  bool write_cache = true;               // WCE, until MODE SELECT changes it
  bool thin = true;  // logical block provisioning management: UNMAP and what belongs to it
};

/// "naa." and the 32 hexadecimal digits of the NAA-6 designator: LIO's OUI 001405, then 25 digits of the
/// uuid.
std::string naa_name(const Uuid& uuid);
/// The same for a disk whose designator need not come from its uuid.
std::string naa_name(const Identity& identity);

}  // namespace tcmufs::scsi
