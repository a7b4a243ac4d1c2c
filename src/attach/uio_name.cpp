#include "attach/uio_name.h"

#include <charconv>
#include <filesystem>

#include "lio/disk_files.h"

namespace tcmufs::attach {

namespace {

constexpr std::string_view prefix = "tcm-user/";

std::optional<u32> number(std::string_view digits) {
  u32 value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// Takes what stands before the first '/' away; nothing if there is none.
std::optional<std::string_view> take_part(std::string_view& text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, slash);
  text.remove_prefix(slash + 1);
  return part;
}

}  // namespace

std::optional<UioName> UioName::parse(std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  const auto hba = take_part(text);
  const auto hba_number = hba ? number(*hba) : std::nullopt;
  // The kernel leaves the last '/' away where there is no dev_config.
  const auto name = take_part(text);
  if (!hba_number || !name || name->empty()) return std::nullopt;
  return UioName{*hba_number, std::string(*name), std::string(text)};
}

std::string UioName::text() const {
  return std::string(prefix) + std::to_string(hba) + "/" + name + "/" + dev_config;
}

std::string UioName::backstore() const {
  return "core/user_" + std::to_string(hba) + "/" + name;
}

std::string UioName::handler() const {
  return dev_config.substr(0, dev_config.find('/'));
}

std::string UioName::config() const {
  const auto slash = dev_config.find('/');
  return slash == std::string::npos ? "" : dev_config.substr(slash + 1);
}

std::optional<UioName> uio_name_of(u32 minor, const std::string& sysfs) {
  return UioName::parse(lio::text_if_there(sysfs + "/class/uio/uio" + std::to_string(minor) + "/name"));
}

std::vector<UioDevice> uio_devices(const std::string& sysfs) {
  std::vector<UioDevice> devices;
  std::error_code error;
  const std::filesystem::path directory = sysfs + "/class/uio";
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const std::string file = at->path().filename().string();
    const auto minor = file.starts_with("uio") ? number(std::string_view(file).substr(3)) : std::nullopt;
    if (!minor) continue;
    const auto name = uio_name_of(*minor, sysfs);
    if (name) devices.push_back({*minor, *name});
  }
  return devices;
}

}  // namespace tcmufs::attach
