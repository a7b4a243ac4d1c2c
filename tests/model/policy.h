#pragma once

#include "bytes.h"

/// What the standards leave to the disk, and it has chosen: docs/scsi.md.
namespace tcmufs::model::policy {

/// WSNZ of the Block Limits VPD page: a WRITE SAME of 0 blocks is refused, or goes to the end.
inline constexpr bool write_same_needs_a_length = true;
/// Descriptors in one answer of GET LBA STATUS.
inline constexpr std::size_t lba_status_descriptors = 64;
/// What the file system below has left, in the tests.
inline constexpr u64 available_bytes = u64{3} << 40;
/// What MODE SELECT takes.
inline constexpr std::size_t mode_list_bytes = 256;

inline const Bytes vpd_pages = {0x00, 0x80, 0x83, 0x86, 0xb0, 0xb1, 0xb2};
inline const Bytes log_pages = {0x00, 0x0c, 0x0d, 0x2f};
inline const Bytes mode_pages = {0x01, 0x08, 0x0a, 0x1c};

}  // namespace tcmufs::model::policy
