#include "daemon/service.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

#include "ctlfs/names.h"
#include "ctlfs/tree.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/paths.h"
#include "daemon/predecessor.h"
#include "daemon/use_watch.h"
#include "daemon/version.h"
#include "fuse/session.h"
#include "lio/configfs.h"
#include "lio/kernel.h"
#include "lio/scsi_disk.h"
#include "sys/errands.h"
#include "sys/error.h"
#include "sys/protect.h"
#include "volume/catalog.h"
#include "volume/kernel.h"
#include "volume/kill_points.h"
#include "volume/registry.h"

namespace tcmufs::daemon {

namespace {

constexpr auto take_down_limit = std::chrono::seconds(150);

/// Blocks the signals that end the daemon, for this thread and all it will start; they come through fd().
class Signals {
 public:
  Signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) throw_errno("cannot make a signalfd");
  }
  int fd() const noexcept { return fd_.number(); }
  /// The signal that has come, or 0. SIGHUP (a terminal that closed) is none.
  int taken() const {
    signalfd_siginfo info{};
    while (::read(fd_.number(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo != SIGHUP) return static_cast<int>(info.ssi_signo);
    }
    return 0;
  }

 private:
  Fd fd_;
};

/// The session's loop in a thread; unmounts at the end of its life.
class Serving {
 public:
  Serving(fuse::Session& session, std::function<void()> ending) : session_(session), ended_(make_event()) {
    thread_ = std::thread([this, ending = std::move(ending)] {
      session_.run({}, ending);
      raise_event(ended_.number());
    });
  }
  ~Serving() {
    session_.stop();
    session_.unmount();
    thread_.join();
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  int ended() const noexcept { return ended_.number(); }

 private:
  fuse::Session& session_;
  Fd ended_;
  std::thread thread_;
};

void wait_for_the_end(const Signals& signals, const Serving& serving) {
  std::array<pollfd, 2> watched = {pollfd{signals.fd(), POLLIN, 0}, pollfd{serving.ended(), POLLIN, 0}};
  for (;;) {
    ::poll(watched.data(), watched.size(), -1);
    if (watched[1].revents != 0) return log_info("unmounted");
    if (const int signal = signals.taken(); signal != 0)
      return log_info("ended by signal " + std::to_string(signal));
  }
}

}  // namespace

int serve(const Options& options, Background& background) {
  const Signals signals;
  start_log(options.foreground);
  const auto log = [&](const std::string& sentence) {
    log_warning(sentence);
    if (!options.foreground && !background.is_ready()) background.tell(sentence);
  };
  if (::geteuid() != 0) throw Failure(EPERM, "tcmufs needs root to make block devices", "Run it with sudo");
  const Paths paths = resolve_paths(options.store, options.mount_point);
  if (options.replace) end_predecessor(options, paths);
  protect_process(log);
#ifdef TCMUFS_KILL_POINTS
  const ErrandProcess errands(log, [] { volume::KillPoints::of_environment().sent_on_errand(); });
#else
  const ErrandProcess errands(log);
#endif
  if (const std::string lacking = lio::prepare_kernel(); !lacking.empty()) log(lacking);
  volume::Catalog catalog(paths.store);
  lio::Configfs tree(log);
  volume::Targets targets(tree);
  volume::Registry registry(
      volume::kernel_of(tree, targets, catalog.uuid()), catalog,
      {.mount_point = paths.mount_point,
       .version = version,
       .read_only = std::ranges::count(options.mount_options, "ro") > 0,
       .defaults = options.settings,
       .attaches_by_itself =
           [](const std::string& path) { return !ctlfs::temporary_name(path.substr(path.rfind('/') + 1)); },
       .log = log});
  ctlfs::Tree files(registry);
  // The kernel checks modes and owners, whoever may see the mount.
  std::vector<std::string> mount_options = options.mount_options;
  if (std::ranges::count(mount_options, "default_permissions") == 0)
    mount_options.emplace_back("default_permissions");
  fuse::Session session(
      files, {.mount_point = paths.mount_point, .store = paths.store, .mount_options = mount_options});
  session.mount();
  bool clean = true;
  {
    // While a disk is used, umount(8) is to say "target is busy".
    const auto hold = [&](bool held) {
      try {
        session.hold(held && registry.look_for_holders());
      } catch (const std::exception& error) {
        log(error.what());
      }
    };
    const Serving serving(session, [&] { registry.stopping(); });
    notify_status("bringing up the volumes of " + quoted(paths.store));
    registry.bring_up();
    {
      const UseWatch watch([&] { hold(true); }, [] { return lio::stacking(); });
      background.ready();
      const std::string serving_what = "serving " + quoted(paths.store) + " at " + quoted(paths.mount_point);
      notify_ready(serving_what);
      log_info(serving_what);
      wait_for_the_end(signals, serving);
    }
    notify_stopping("taking the disks down");
    hold(false);
    clean = registry.take_down(Deadline::after(take_down_limit));
  }
  if (clean) return 0;
  log("some disks could not be torn down in time; the next start of tcmufs on this store goes on with them");
  // Threads that the kernel holds may still use what would be destroyed on the way out.
  std::_Exit(1);
}

}  // namespace tcmufs::daemon
