#include "fuse/mount_options.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <string_view>

#include "sys/error.h"

namespace tcmufs::fuse {

namespace {

struct Flag {
  std::string_view name;
  unsigned long bits;
  bool set;
};

constexpr std::array<Flag, 12> kFlags{{{"ro", MS_RDONLY, true},
                                       {"rw", MS_RDONLY, false},
                                       {"nosuid", MS_NOSUID, true},
                                       {"nodev", MS_NODEV, true},
                                       {"noexec", MS_NOEXEC, true},
                                       {"exec", MS_NOEXEC, false},
                                       {"noatime", MS_NOATIME, true},
                                       {"atime", MS_NOATIME, false},
                                       {"sync", MS_SYNCHRONOUS, true},
                                       {"async", MS_SYNCHRONOUS, false},
                                       {"dirsync", MS_DIRSYNC, true},
                                       {"nodiratime", MS_NODIRATIME, true}}};

bool for_kernel(const std::string& option) {
  return option == "allow_other" || option == "default_permissions" || option.starts_with("max_read=");
}

/// What mount(8), fstab and systemd say to one another, and the modes of access times, which control files do
/// not have. mount.fuse3 adds `dev` and `suid` to all that it passes on: there is nothing here they could be
/// meant for.
bool for_others(const std::string& option) {
  constexpr std::array<std::string_view, 19> words{
      "defaults",   "auto",        "noauto",        "user",     "nouser",    "users",  "owner",
      "group",      "nofail",      "_netdev",       "dev",      "suid",      "silent", "relatime",
      "norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime"};
  constexpr std::array<std::string_view, 3> beginnings{"x-", "X-", "comment="};
  return std::ranges::find(words, option) != words.end() ||
         std::ranges::any_of(beginnings,
                             [&](std::string_view beginning) { return option.starts_with(beginning); });
}

/// libfuse takes a comma for the end of an option and a backslash for an escape.
std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == ',' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

}  // namespace

MountOptions sorted_options(const std::vector<std::string>& options, const std::string& source) {
  MountOptions sorted;
  sorted.flags = MS_NOSUID | MS_NODEV;
  sorted.arguments = {"tcmufs"};
  for (const auto& several : options) {
    std::istringstream list(several);
    for (std::string option; std::getline(list, option, ',');) {
      if (for_others(option)) continue;
      if (option == "auto_unmount") {
        throw Failure(EINVAL, "cannot mount with the option 'auto_unmount'",
                      "it is not needed: the next start on a mount point clears a dead mount there");
      }
      for (const Flag& flag : kFlags) {
        if (flag.name == option)
          sorted.flags = flag.set ? sorted.flags | flag.bits : sorted.flags & ~flag.bits;
      }
      if (for_kernel(option)) sorted.kernel += "," + option;
      sorted.arguments.insert(sorted.arguments.end(), {"-o", option});
    }
  }
  sorted.arguments.insert(sorted.arguments.end(),
                          {"-o", "fsname=" + escaped(source), "-o", "subtype=tcmufs"});
  return sorted;
}

}  // namespace tcmufs::fuse
