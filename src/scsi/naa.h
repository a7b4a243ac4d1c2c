#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "scsi/identity.h"
#include "sys/integers.h"
#include "sys/uuid.h"

namespace tcmufs::scsi {

/// The NAA IEEE Registered Extended designator (SPC-4): LIO's OUI 001405, then 25 digits of the
/// uuid.
std::array<u8, 16> naa_designator(const Uuid& uuid) noexcept;

/// The one that LIO itself makes of a unit serial number (spc_gen_naa_6h_vendor_specific): 25 of the
/// hexadecimal digits in it, or as many as there are, and zeros.
std::vector<u8> naa_of_serial(std::string_view serial);

/// That of a disk: its own, or that of its uuid.
std::vector<u8> naa_designator(const Identity& identity);

}  // namespace tcmufs::scsi
