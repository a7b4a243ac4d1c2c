#include "fuse/mount_options.h"

#include <sys/mount.h>

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

constexpr std::array<Flag, 14> kFlags{{{"ro", MS_RDONLY, true},
                                       {"rw", MS_RDONLY, false},
                                       {"nosuid", MS_NOSUID, true},
                                       {"suid", MS_NOSUID, false},
                                       {"nodev", MS_NODEV, true},
                                       {"dev", MS_NODEV, false},
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
