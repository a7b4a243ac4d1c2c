#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tcmufs::lio {

/// The dev_config of a disk of ours: "tcmufs/<keeper>/<name of the backstore>". The keeper is the uuid of its
/// store, or "library".
std::string dev_config_for(const std::string& keeper, const std::string& backstore_name);

/// Who keeps a backstore that has that dev_config; none: it is no disk of ours. What targetcli makes for
/// tcmufs-backstores, "tcmufs//the/path", is none.
std::optional<std::string> keeper_of(std::string_view dev_config, std::string_view backstore_name);

}  // namespace tcmufs::lio
