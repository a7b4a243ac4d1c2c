#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sys/integers.h"
#include "tcmu/abi.h"
#include "tcmu/ring.h"
#include "tcmu/ring_memory.h"

namespace tcmufs::tcmu {

/// The length of the CDB at the start of `room`, the rest of its entry: by the group of the operation code
///
/// (SPC-4, GROUP CODE). Groups that say none get what there is, at most 16 bytes. Nothing: it does not fit,
/// or is longer than a RingCommand holds.
std::optional<u16> cdb_length(std::span<const std::byte> room) noexcept;

/// Reads a command's entry, a private copy of the `entry.size()` bytes at `position`, into `command` and
/// `bidi_in`. Returns the rule it breaks, as a sentence; empty if it breaks none.
std::string read_command(std::span<const std::byte> entry, u32 position, const RingMemory& memory,
                         RingCommand& command, std::vector<iovec>& bidi_in);

}  // namespace tcmufs::tcmu
