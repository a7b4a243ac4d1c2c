#include "mountctl/umount_helper.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <iostream>

#include "mountctl/mount_point.h"
#include "sys/error.h"
#include "sys/fd.h"

namespace tcmufs::mountctl {

namespace {

// The daemon itself gives up after 150 s.
constexpr auto longest_wait = std::chrono::seconds(180);

int system_remount_read_only(const std::string& mount) {
  return ::mount("none", mount.c_str(), nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr) == 0
             ? 0
             : errno;
}

void enter(const std::string& mount_namespace) {
  const bool process = mount_namespace.find_first_not_of("0123456789") == std::string::npos;
  const Fd file = open_file(process ? "/proc/" + mount_namespace + "/ns/mnt" : mount_namespace, O_RDONLY);
  if (::setns(file.number(), CLONE_NEWNS) != 0) {
    throw_errno("cannot enter the mount namespace " + quoted(mount_namespace));
  }
}

/// Only after a refusal: makes the mount read-only, or says why it cannot, behind that refusal's sentence.
[[noreturn]] void refuse_read_only(const std::string& mount, const Refusal& refusal,
                                   const UmountSystem& system) {
  const int error = system.remount_read_only(mount);
  throw Refusal(refusal.status(),
                std::string(refusal.what()) + ". " +
                    (error == 0 ? "It is read-only now; its disks are as they were"
                                : std::string(Failure(error, "It cannot be made read-only either").what())));
}

}  // namespace

UmountHelperOptions parse_umount_words(std::vector<std::string> words) {
  UmountHelperOptions options;
  std::string type;
  bool force = false;
  bool no_mtab = false;
  CLI::App app("The helper of umount(8) for mounts of tcmufs.", "umount.fuse.tcmufs");
  app.add_option("MNT", options.target, "The mount")->required();
  app.add_flag("-f", force, "Nothing more than without: there is no server out of reach");
  app.add_flag("-l", options.lazy, "Detach the mount now, wait for nothing");
  app.add_flag("-n", no_mtab, "Nothing: there is no mtab");
  app.add_flag("-r", options.read_only, "If it stays mounted, make the mount read-only");
  app.add_flag("-v", options.verbose, "Say what has been done");
  app.add_option("-N", options.mount_namespace, "The mount namespace: a process or a file")
      ->type_name("NAMESPACE");
  app.add_option("-t", type, "The type, fuse.tcmufs")->type_name("TYPE");
  std::reverse(words.begin(), words.end());  // the order in which the parser takes them
  try {
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    throw Refusal(ExitStatus::usage,
                  "usage: umount.fuse.tcmufs MNT [-flnrv] [-N NAMESPACE] [-t TYPE]; it is umount(8) "
                  "that runs this");
  } catch (const CLI::ParseError& error) {
    throw Refusal(ExitStatus::usage, error.what());
  }
  return options;
}

void umount_as_helper(const UmountHelperOptions& options, const UmountSystem& system) {
  if (!options.mount_namespace.empty()) enter(options.mount_namespace);
  const std::string mount = choose_mount(options.target, find_mounts(system.mountinfo));
  if (options.lazy) {
    const int error = system.umount2(mount, MNT_DETACH | UMOUNT_NOFOLLOW);
    if (error != 0)
      throw Failure(error, "cannot detach " + quoted(mount), error == EPERM ? "Only root may" : "");
    if (options.verbose) std::cout << mount << " is detached; its disks are being taken down\n";
    return;
  }
  try {
    unmount(mount, {.force = false, .timeout = longest_wait}, system.umount2);
  } catch (const Refusal& refusal) {
    const auto mounts = find_mounts(system.mountinfo);
    const bool mounted =
        std::ranges::any_of(mounts, [&](const MountPoint& other) { return other.path == mount; });
    if (options.read_only && mounted) refuse_read_only(mount, refusal, system);
    throw;
  }
  if (options.verbose) std::cout << mount << " is unmounted, all its disks are taken down\n";
}

std::function<void()> parse_umount_helper(std::vector<std::string> words) {
  return [options = parse_umount_words(std::move(words))] {
    umount_as_helper(options, {.remount_read_only = system_remount_read_only});
  };
}

int umount_helper_status(ExitStatus status) {
  constexpr int wrong_usage = 1;
  constexpr int not_unmounted = 32;
  if (status == ExitStatus::done) return 0;
  return status == ExitStatus::usage ? wrong_usage : not_unmounted;
}

}  // namespace tcmufs::mountctl
