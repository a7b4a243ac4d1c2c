#include "daemon/options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "daemon/version.h"
#include "volume/settings.h"

namespace tcmufs::daemon {

namespace {

std::vector<std::string> split(const std::vector<std::string>& lists) {
  std::vector<std::string> result;
  for (const std::string& list : lists) {
    for (std::size_t at = 0; at <= list.size();) {
      const auto comma = std::min(list.find(',', at), list.size());
      if (comma > at) result.push_back(list.substr(at, comma - at));
      at = comma + 1;
    }
  }
  return result;
}

/// Throws CLI::ParseError.
void check(const Options& options) {
  if (options.cleanup) {
    if (options.doctor) throw CLI::ExcludesError("--cleanup", "--doctor");
    if (options.replace) throw CLI::ExcludesError("--cleanup", "--replace");
    if (!options.store.empty()) throw CLI::ExtrasError({options.store});
    return;
  }
  if (options.doctor) {
    if (options.replace) throw CLI::ExcludesError("--doctor", "--replace");
    if (!options.mount_point.empty()) throw CLI::ExtrasError({options.mount_point});
    return;
  }
  if (options.store.empty()) throw CLI::RequiredError("STORE");
  if (options.mount_point.empty()) throw CLI::RequiredError("MOUNTPOINT");
}

}  // namespace

Options parse_command_line(int argc, char** argv) {
  Options options;
  std::vector<std::string> lists;
  CLI::App app("Serves the images in STORE as disks: a file in MOUNTPOINT is a block device of this machine.",
               "tcmufs");
  app.add_option("STORE", options.store, "Directory that holds the images");
  app.add_option("MOUNTPOINT", options.mount_point, "Directory where the control filesystem appears");
  app.add_flag("-f,--foreground", options.foreground, "Stay in the foreground and log to standard error");
  app.add_flag(
      "--replace", options.replace,
      "Take the disks over from the daemon that serves STORE, which is ended; who uses them waits a moment");
  app.add_flag("--doctor", options.doctor,
               "Say what of this machine, and of STORE, stands in the way of disks, and change nothing");
  auto* cleanup =
      app.add_flag("--cleanup", options.cleanup,
                   "Remove the disks that dead daemons left, with what is not synced; mount nothing");
  app.add_option("--store", options.cleanup_stores,
                 "With --cleanup: only of this store, a directory or a uuid")
      ->type_name("STORE")
      ->allow_extra_args(false)
      ->needs(cleanup);
  app.add_flag("--dry-run", options.dry_run, "With --cleanup: say what would be done, and do nothing")
      ->needs(cleanup);
  app.add_option(
         "-o", lists,
         "Mount options, separated by commas: FUSE's (allow_other, ro ...), and settings of new volumes "
         "(block_size=4096, direct ...)")
      ->allow_extra_args(false);
  app.set_version_flag("-V,--version", "tcmufs " + std::string(version));
  app.footer(
      "Exit status: 0 mounted (with -f: unmounted again), 1 refused, or --doctor has found what is to be "
      "fixed, or --cleanup has left something, 2 wrong usage.");
  try {
    app.parse(argc, argv);
    check(options);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);  // NOLINT(concurrency-mt-unsafe): no thread has been started
  }
  for (const std::string& option : split(lists)) {
    const auto equals = std::min(option.find('='), option.size());
    const std::string name = option.substr(0, equals);
    if (volume::is_setting(name)) {
      options.settings.emplace_back(name, equals < option.size()    ? option.substr(equals + 1)
                                          : volume::is_switch(name) ? "1"
                                                                    : "");
    } else {
      options.mount_options.push_back(option);
    }
  }
  return options;
}

}  // namespace tcmufs::daemon
