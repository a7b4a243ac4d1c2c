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
constexpr std::array<ControlFile, 16> kDefaultFiles{{{"block_size", true},
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
                                                     {"vendor", true},
                                                     {"product", true},
                                                     {"serial", true}}};
constexpr std::array<ControlFile, 32> kVolumeFiles{{{"status"},
                                                    {"status.json"},
                                                    {"state"},
                                                    {"size"},
                                                    {"device"},
                                                    {"sg"},
                                                    {"wwn"},
                                                    {"uuid"},
                                                    {"block_size", true},
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
                                                    {"vendor", true},
                                                    {"product", true},
                                                    {"serial", true},
                                                    {"holders"},
                                                    {"stats"},
                                                    {"stats.json"},
                                                    {"latency"},
                                                    {"inflight"},
                                                    {"last_error"},
                                                    {"events", false, true},
                                                    {"ctl", true}}};

constexpr auto kFirst = static_cast<std::size_t>(Facet::first_file);
constexpr auto kFirstDefault = static_cast<std::size_t>(Facet::first_default);
static_assert(kFirst + kRootFiles.size() <= kFirstDefault);
static_assert(kFirstDefault + kDefaultFiles.size() <= Inode::kFacets);
static_assert(kFirst + kVolumeFiles.size() <= Inode::kFacets);

}  // namespace

std::span<const ControlFile> root_control_files() {
  return kRootFiles;
}
std::span<const ControlFile> default_control_files() {
  return kDefaultFiles;
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
