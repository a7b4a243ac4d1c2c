#include "ctlfs/control_files.h"

#include <algorithm>
#include <array>

#include "ctlfs/inode.h"

namespace tcmufs::ctlfs {

namespace {

constexpr std::array<std::string_view, 4> kRootFiles{"status", "status.json", "version", "last_error"};
constexpr std::array<std::string_view, 10> kVolumeFiles{
    "status", "status.json", "state", "size", "device", "sg", "wwn", "uuid", "block_size", "last_error"};

constexpr auto kFirst = static_cast<std::size_t>(Facet::first_file);
static_assert(kFirst + kRootFiles.size() <= Inode::kFacets && kFirst + kVolumeFiles.size() <= Inode::kFacets);

}  // namespace

std::span<const std::string_view> root_control_files() {
  return kRootFiles;
}
std::span<const std::string_view> volume_control_files() {
  return kVolumeFiles;
}

std::optional<unsigned> index_of(std::span<const std::string_view> files, const std::string& name) {
  const auto at = std::find(files.begin(), files.end(), name);
  if (at == files.end()) return std::nullopt;
  return static_cast<unsigned>(at - files.begin());
}

}  // namespace tcmufs::ctlfs
