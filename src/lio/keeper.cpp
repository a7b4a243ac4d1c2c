#include "lio/keeper.h"

namespace tcmufs::lio {

namespace {

constexpr std::string_view tag = "tcmufs/";

}  // namespace

std::string dev_config_for(const std::string& keeper, const std::string& backstore_name) {
  return std::string(tag) + keeper + "/" + backstore_name;
}

std::optional<std::string> keeper_of(std::string_view dev_config, std::string_view backstore_name) {
  if (!dev_config.starts_with(tag)) return std::nullopt;
  const std::string_view rest = dev_config.substr(tag.size());
  const auto slash = rest.find('/');
  if (slash == 0 || slash == std::string_view::npos || rest.substr(slash + 1) != backstore_name)
    return std::nullopt;
  return std::string(rest.substr(0, slash));
}

}  // namespace tcmufs::lio
