#include "lio/disk_files.h"

#include <sys/sysmacros.h>

#include <charconv>
#include <limits>
#include <string_view>

#include "sys/errands.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

namespace {

constexpr u64 sector_bytes = 512;  // sysfs counts in these whatever the block size

template <typename Number>
std::optional<Number> parse(std::string_view text) {
  Number number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

Brought errand_write(const Arguments& arguments, const Fd& /*none*/) {
  write_text(arguments[0], arguments[1]);
  return {};
}

}  // namespace

std::string text_if_there(const std::string& path) {
  try {
    return read_line(path);
  } catch (const Failure&) {
    return {};
  }
}

std::optional<dev_t> parse_device_number(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto major_number = parse<u32>(std::string_view(text).substr(0, colon));
  const auto minor_number = parse<u32>(std::string_view(text).substr(colon + 1));
  if (!major_number || !minor_number) return std::nullopt;
  return makedev(*major_number, *minor_number);
}

std::optional<dev_t> device_number(const std::string& directory) {
  return parse_device_number(text_if_there(directory + "/dev"));
}

std::optional<u64> disk_size_bytes(const std::string& sysfs, const std::string& name) {
  const auto sectors = parse<u64>(text_if_there(sysfs + "/block/" + name + "/size"));
  if (!sectors || *sectors > std::numeric_limits<u64>::max() / sector_bytes) return std::nullopt;
  return *sectors * sector_bytes;
}

void write_kernel_file(const std::string& path, const std::string& text) {
  run_errand(&errand_write, {path, text});
}

}  // namespace tcmufs::lio
