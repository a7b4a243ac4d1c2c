#include "lio/hba.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "sys/error.h"

namespace tcmufs::lio {

namespace {

constexpr u32 hba_numbers = 2'000'000'000;  // the sum with the first fits the kernel's int
constexpr u32 hba_tries = 100;

// FNV-1a: the same in every run, so that a crashed run's HBA is met again.
u32 first_choice(const std::string& name) {
  u64 hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return first_hba_number + static_cast<u32>(hash % hba_numbers);
}

}  // namespace

std::optional<u32> user_hba_number(const std::string& directory_name) {
  const std::string prefix = "user_";
  if (!directory_name.starts_with(prefix)) return std::nullopt;
  u32 number = 0;
  const char* end = directory_name.data() + directory_name.size();
  const auto [rest, error] = std::from_chars(directory_name.data() + prefix.size(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::vector<std::string> user_hbas(ConfigTree& tree) {
  std::vector<std::string> paths;
  for (const std::string& name : tree.list("core")) {
    if (user_hba_number(name)) paths.push_back("core/" + name);
  }
  return paths;
}

std::vector<std::string> devices_of(ConfigTree& tree, const std::string& hba) {
  std::vector<std::string> names;
  tolerating({ENOENT}, [&] { names = tree.list(hba); });
  std::erase_if(names, [](const std::string& name) { return name == "hba_info" || name == "hba_mode"; });
  return names;
}

ConfigDirectory make_hba(ConfigTree& tree, const std::string& name) {
  const u32 first = first_choice(name);
  for (u32 number = first; number < first + hba_tries; ++number) {
    ConfigDirectory hba(tree, "core/user_" + std::to_string(number), ConfigDirectory::Sharing::shared);
    if (hba.made() || devices_of(tree, hba.path()).empty()) return hba;
  }
  throw Failure(EEXIST,
                "cannot make an HBA for the device " + quoted(name) + ": the numbers from " +
                    std::to_string(first) + " to " + std::to_string(first + hba_tries - 1) + " are all taken",
                "Look at /sys/kernel/config/target/core for what took them");
}

ConfigDirectory shared_hba(ConfigTree& tree, u32 number) {
  return {tree, "core/user_" + std::to_string(number), ConfigDirectory::Sharing::shared};
}

}  // namespace tcmufs::lio
