#pragma once

#include <array>
#include <vector>

#include "scsi/identity.h"
#include "sys/integers.h"
#include "sys/uuid.h"

namespace tcmufs::scsi {

/// The NAA IEEE Registered Extended designator (SPC-4): LIO's OUI 001405, then 25 digits of the
/// uuid.
std::array<u8, 16> naa_designator(const Uuid& uuid) noexcept;

/// That of a disk: its own, or that of its uuid.
std::vector<u8> naa_designator(const Identity& identity);

}  // namespace tcmufs::scsi
