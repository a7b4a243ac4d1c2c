#pragma once

#include <array>
#include <optional>
#include <span>

#include "scsi/device.h"
#include "sys/integers.h"

namespace tcmufs::scsi {

/// A mode page as it travels, header and all.
struct ModePage {
  std::array<u8, 20> data{};
  u8 length = 0;

  std::span<const u8> bytes() const { return {data.data(), length}; }
};

/// In ascending order: error recovery, caching, control, informational exceptions.
inline constexpr std::array<u8, 4> mode_page_codes = {0x01, 0x08, 0x0a, 0x1c};

/// The page with the values of `modes`; nothing if there is no such page.
std::optional<ModePage> mode_page(u8 code, const Modes& modes);

/// Has every bit set that MODE SELECT may change, behind the page's header; for a page there is.
ModePage changeable_bits(u8 code);

/// Takes the changeable values of a page (a valid one) over into `modes`.
void take_over(std::span<const u8> page, Modes& modes);

}  // namespace tcmufs::scsi
