#include "fuse/session.h"

#include <fuse_lowlevel.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <thread>

#include "ctlfs/tree.h"
#include "fuse/operations.h"
#include "fuse/request_loop.h"
#include "fuse/stream_reads.h"
#include "sys/deadline.h"
#include "sys/error.h"

namespace tcmufs::fuse {

namespace {

// So long is waited at the end for readers of .ctl/events to take what is left.
constexpr auto kEndLimit = std::chrono::seconds(1);

thread_local std::string said;  // by libfuse, on this thread, while a Listener exists

void listen(fuse_log_level /*level*/, const char* format, va_list arguments) {
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  said += text.data();
}

/// libfuse says what it refuses to a log function only.
struct Listener {
  Listener() {
    said.clear();
    fuse_set_log_func(listen);
  }
  ~Listener() { fuse_set_log_func(nullptr); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::string text() const { return said.substr(0, said.find_last_not_of(" \n") + 1); }
};

fuse_session* make_session(const MountOptions& options, Served* served) {
  std::vector<std::string> owned = options.arguments;
  std::vector<char*> arguments;
  arguments.reserve(owned.size());
  for (auto& argument : owned) arguments.push_back(argument.data());
  fuse_args parsed{static_cast<int>(arguments.size()), arguments.data(), 0};
  const Listener listener;
  fuse_session* session = fuse_session_new(&parsed, &operations(), sizeof(fuse_lowlevel_ops), served);
  fuse_opt_free_args(&parsed);
  if (session == nullptr) throw Failure(EINVAL, "cannot take the mount options: " + listener.text());
  return session;
}

/// While the removal of a volume blocks, the kernel holds the lock of its directory, which a name needs that
/// it does not know yet. So that status answers then too, it is made to know. By a child, without our
/// descriptors: a daemon that is killed while it waits for itself would never be gone.
void look_up(const std::string& mount_point) {
  std::vector<std::string> paths;
  for (const char* name : {"/status", "/.ctl/status", "/.ctl/status.json", "/.ctl/last_error",
                           "/.ctl/error_log", "/.ctl/events", "/.ctl/vol"}) {
    paths.push_back(mount_point + name);
  }
  const pid_t child = fork();
  if (child < 0) return;
  if (child == 0) {
    close_range(0, ~0U, 0);
    struct stat file {};
    for (const auto& path : paths) stat(path.c_str(), &file);
    _exit(0);
  }
  const auto gone = [&] { return waitpid(child, nullptr, WNOHANG) != 0; };
  if (poll_until(Deadline::after(std::chrono::seconds(2)), gone)) return;
  kill(child, SIGKILL);
  // It may be waiting in the kernel still, and must not stay behind as a zombie that looks like a second
  // daemon.
  std::thread([child] { waitpid(child, nullptr, 0); }).detach();
}

}  // namespace

void Session::Destroy::operator()(fuse_session* session) const {
  fuse_session_destroy(session);
}

void check_options(const std::vector<std::string>& options) {
  fuse_session_destroy(make_session(sorted_options(options, ""), nullptr));
}

Session::Session(ctlfs::Tree& tree, Options options)
    : options_(std::move(options)),
      mount_options_(sorted_options(options_.mount_options, options_.store)),
      tree_(tree),
      stop_event_(make_event()),
      loop_event_(make_event()),
      streams_(std::make_unique<StreamReads>(tree.events())),
      served_(std::make_unique<Served>(Served{tree, *streams_})),
      session_(make_session(mount_options_, served_.get())) {}

Session::~Session() {
  streams_.reset();  // its thread uses the session
  holder_.reset();
  unmount();
}

void Session::mount() {
  mount_point_.emplace(options_.mount_point, options_.store, mount_options_);
  const Fd device = mount_point_->take_device();
  // libfuse takes over a descriptor given like this, and closes it in the end.
  const int given = fcntl(device.number(), F_DUPFD_CLOEXEC, 3);
  const std::string path = "/dev/fd/" + std::to_string(given);
  if (given < 0 || fuse_session_mount(session_.get(), path.c_str()) != 0) {
    mount_point_->unmount();
    throw Failure(EIO, "cannot hand the mount on " + quoted(mount_point_->path()) + " to libfuse");
  }
}

void Session::run(const std::function<void()>& ready, const std::function<void()>& ending) {
  const Fd table = open_file("/proc/self/mountinfo", O_RDONLY);
  const RequestLoop loop(session_.get(), loop_event_.number(), options_.max_threads,
                         [this](u64 handle) { tree_.closing(handle); });
  look_up(mount_point_->path());
  if (ready) ready();
  std::array<pollfd, 3> waited{
      {{table.number(), POLLPRI, 0}, {stop_event_.number(), POLLIN, 0}, {loop_event_.number(), POLLIN, 0}}};
  while (waited[1].revents == 0 && waited[2].revents == 0) {
    if (unmounted()) stop();
    if (poll(waited.data(), waited.size(), -1) < 0) waited[1].revents = waited[2].revents = 0;
  }
  if (ending) ending();
  streams_->end(Deadline::after(kEndLimit));
  raise_event(loop_event_.number());
  // The end of the connection may be heard of first. Later the kernel may have given the id of the mount
  // away.
  static_cast<void>(unmounted());
}

void Session::stop() noexcept {
  raise_event(stop_event_.number());
}

void Session::unmount() noexcept {
  if (mount_point_) mount_point_->unmount();
}

bool Session::unmounted() const noexcept {
  return !mount_point_ || !mount_point_->present();
}

void Session::hold(bool held) {
  if (!held) {
    holder_.reset();
  } else if (!holder_ && mount_point_) {
    holder_ = open_file(mount_point_->path(), O_PATH | O_DIRECTORY);
  }
}

}  // namespace tcmufs::fuse
