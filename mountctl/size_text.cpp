#include "mountctl/size_text.h"

#include <string_view>

#include "mountctl/refusal.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

constexpr std::string_view units = "KMGTPE";

u64 not_nothing(u64 bytes, const std::string& text) {
  if (bytes != 0) return bytes;
  throw Refusal(ExitStatus::usage, quoted(text) + " is no size: a disk of 0 bytes cannot exist");
}

}  // namespace

u64 parse_size(const std::string& text) {
  try {
    return not_nothing(size_from_text(text), text);
  } catch (const BadSize& error) {
    throw Refusal(ExitStatus::usage, error.what());
  }
}

SizeChange parse_size_change(const std::string& text) {
  try {
    const SizeChange change = size_change_from_text(text);
    not_nothing(change.bytes, text);
    return change;
  } catch (const BadSize& error) {
    throw Refusal(ExitStatus::usage, error.what());
  }
}

u64 size_after(const SizeChange& change, u64 present) {
  try {
    return change.applied_to(present);
  } catch (const BadSize& error) {
    throw Refusal(ExitStatus::failed, error.what());
  }
}

std::string human_size(u64 bytes) {
  if (bytes < 1024) return std::to_string(bytes);
  std::size_t place = 0;
  while (place + 1 < units.size() && (bytes >> (10 * (place + 2))) != 0) ++place;
  const u64 unit = u64{1} << (10 * (place + 1));
  // Tenths of the unit, rounded; what is left of the unit is below 2^60, so that nothing overflows.
  u64 tenths = bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
  if (tenths >= 10240 && place + 1 < units.size()) {
    tenths = 10;
    ++place;
  }
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) text += '.' + std::to_string(tenths % 10);
  return text + units[place];
}

}  // namespace tcmufs::mountctl
