#include "scsi/pieces.h"

namespace tcmufs::scsi {

std::optional<std::size_t> first_difference(std::span<const u8> left, std::span<const u8> right) noexcept {
  const auto [at, other] = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
  if (at == left.end()) return std::nullopt;
  return static_cast<std::size_t>(at - left.begin());
}

}  // namespace tcmufs::scsi
