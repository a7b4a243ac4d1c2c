#include "ctlfs/control_files.h"

#include <algorithm>
#include <array>

#include "ctlfs/inode.h"

namespace tcmufs::ctlfs {

namespace {

constexpr std::array<ControlFile, 10> kRootFiles{{{"status"},
                                                  {"status.json"},
                                                  {"version"},
                                                  {"features"},
                                                  {"last_error"},
                                                  {"error_log"},
                                                  {"metrics"},
                                                  {"doctor"},
                                                  {"events", false, true},
                                                  {"ctl", true}}};
// What can be chosen about a volume: its files, and the defaults of new ones.
constexpr std::array<ControlFile, 17> kSettings{{{"block_size", true},
                                                 {"physical_block_size", true},
                                                 {"direct", true},
                                                 {"max_data_area_mb", true},
                                                 {"cmd_ring_size_mb", true},
                                                 {"data_pages_per_blk", true},
                                                 {"queue_depth", true},
                                                 {"read_ahead_kb", true},
                                                 {"poll_us", true},
                                                 {"read_only", true},
                                                 {"write_cache", true},
                                                 {"discard", true},
                                                 {"cmd_timeout", true},
                                                 {"enospc_timeout", true},
                                                 {"vendor", true},
                                                 {"product", true},
                                                 {"serial", true}}};
constexpr std::array<ControlFile, 8> kFacts{
    {{"status"}, {"status.json"}, {"state"}, {"size", true}, {"device"}, {"sg"}, {"wwn"}, {"uuid"}}};
constexpr std::array<ControlFile, 8> kActivity{{{"holders"},
                                                {"stats"},
                                                {"stats.json"},
                                                {"latency"},
                                                {"inflight"},
                                                {"last_error"},
                                                {"events", false, true},
                                                {"ctl", true}}};

template <std::size_t... sizes>
constexpr auto joined(const std::array<ControlFile, sizes>&... parts) {
  std::array<ControlFile, (sizes + ...)> all{};
  auto end = all.begin();
  ((end = std::copy(parts.begin(), parts.end(), end)), ...);
  return all;
}
constexpr auto kVolumeFiles = joined(kFacts, kSettings, kActivity);

constexpr auto kFirst = static_cast<std::size_t>(Facet::first_file);
constexpr auto kFirstDefault = static_cast<std::size_t>(Facet::first_default);
static_assert(kFirst + kRootFiles.size() <= kFirstDefault);
static_assert(kFirstDefault + kSettings.size() <= Inode::kFacets);
static_assert(kFirst + kVolumeFiles.size() <= Inode::kFacets);

}  // namespace

std::span<const ControlFile> root_control_files() {
  return kRootFiles;
}
std::span<const ControlFile> default_control_files() {
  return kSettings;
}
std::span<const ControlFile> volume_control_files() {
  return kVolumeFiles;
}

std::optional<unsigned> index_of(std::span<const ControlFile> files, const std::string& name) {
  const auto at =
      std::find_if(files.begin(), files.end(), [&](const ControlFile& file) { return file.name == name; });
  if (at == files.end()) return std::nullopt;
  return static_cast<unsigned>(at - files.begin());
}

}  // namespace tcmufs::ctlfs
