#include "sys/errands.h"

#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <thread>

#include "sys/error.h"
#include "sys/message.h"

namespace tcmufs {

namespace {

constexpr const char* process_name = "tcmufs-errands";

std::atomic<ErrandProcess*> current = nullptr;

std::string packed(const Arguments& arguments) {
  std::string text;
  for (const std::string& one : arguments) text.append(std::to_string(one.size())).append(":").append(one);
  return text;
}

Arguments unpacked(const std::string& text) {
  Arguments arguments;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::size_t length = 0;
    at = std::from_chars(at, end, length).ptr + 1;
    arguments.emplace_back(at, length);
    at += length;
  }
  return arguments;
}

std::array<Fd, 2> connected_sockets() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw_errno("cannot make a pair of sockets");
  return {Fd(ends[0]), Fd(ends[1])};
}

// The second process is this one as it was when it forked: functions are where they are here.
void go(const Message& errand, const Fd& connection) {
  int error = 0;
  Brought brought;
  try {
    Errand function = nullptr;
    std::memcpy(&function, &errand.word, sizeof function);
    brought = function(unpacked(errand.body), errand.file);
  } catch (const Failure& failure) {
    error = failure.error();
    brought.text = failure.what();
  } catch (const std::exception& failure) {
    error = EIO;
    brought.text = failure.what();
  }
  send_message(connection, static_cast<u64>(error), brought.text, brought.file);
}

void go_on_errands(const Fd& connection) {
  try {
    while (const auto errand = receive_message(connection)) go(*errand, connection);
  } catch (const std::exception&) {  // nobody is there any more to be told
  }
}

void be_named() {
  static std::array<char, 16> name{};
  const std::string_view text = process_name;
  text.copy(name.data(), name.size() - 1);
  ::prctl(PR_SET_NAME, name.data(), 0, 0, 0);
  const auto begin = reinterpret_cast<unsigned long>(name.data());
  // In this order, because the end is never before the beginning: what ps shows is not a second daemon.
  if (::prctl(PR_SET_MM, PR_SET_MM_ARG_START, begin, 0, 0) == 0)
    ::prctl(PR_SET_MM, PR_SET_MM_ARG_END, begin + text.size() + 1, 0, 0);
}

// It lives as long as the first process: its end of the socket is closed by that one's death.
[[noreturn]] void serve(const Fd& socket) {
  constexpr int kept = 3;
  ::setsid();
  const Fd null(::open("/dev/null", O_RDWR));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.number(), standard);
  ::dup2(socket.number(), kept);
  ::close_range(kept + 1, ~0U, 0);
  if (::chdir("/") != 0) ::_exit(1);
  be_named();
  const Fd from_first(kept);
  try {
    while (auto connection = receive_message(from_first)) {
      std::thread([file = std::move(connection->file)] { go_on_errands(file); }).detach();
    }
  } catch (const std::exception&) {  // no thread for it: its end is closed, and the errand is done over there
  }
  ::_exit(0);
}

}  // namespace

ErrandProcess::ErrandProcess(std::function<void(const std::string&)> log, std::function<void()> sent)
    : log_(std::move(log)), sent_(std::move(sent)) {
  auto [here, there] = connected_sockets();
  pid_ = ::fork();
  if (pid_ < 0) throw_errno("cannot start the process " + quoted(process_name));
  if (pid_ == 0) serve(there);
  socket_ = std::move(here);
  current = this;
}

ErrandProcess::~ErrandProcess() {
  current = nullptr;
  socket_.reset();
  idle_.clear();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

Fd ErrandProcess::take_connection() {
  const std::lock_guard lock(mutex_);
  if (!idle_.empty()) {
    Fd connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }
  if (!socket_) return {};
  auto [here, there] = connected_sockets();
  send_message(socket_, 0, "", there);
  return std::move(here);
}

void ErrandProcess::keep_connection(Fd connection) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

void ErrandProcess::died() {
  {
    const std::lock_guard lock(mutex_);
    idle_.clear();
    if (!socket_) return;
    socket_.reset();
  }
  log_("the process " + quoted(process_name) + " (" + std::to_string(pid_) +
       ") has died: what may wait for a disk is done by the daemon itself until its next start");
}

Brought run_errand(Errand errand, const Arguments& arguments, const Fd& file) {
  ErrandProcess* const process = current;
  if (process == nullptr) return errand(arguments, file);
  Fd connection;
  try {
    connection = process->take_connection();
    u64 word = 0;
    static_assert(sizeof errand == sizeof word);
    std::memcpy(&word, &errand, sizeof word);
    if (connection) send_message(connection, word, packed(arguments), file);
  } catch (const Failure& failure) {
    if (failure.error() != EPIPE && failure.error() != ECONNRESET) throw;
    connection.reset();
    process->died();
  }
  if (!connection) return errand(arguments, file);
  if (process->sent_) process->sent_();
  auto answer = receive_message(connection);
  if (!answer) {
    process->died();
    throw Failure(EIO, "the process " + quoted(process_name) + " has died over what it was to do");
  }
  process->keep_connection(std::move(connection));
  if (answer->word != 0) throw Failure::relayed(static_cast<int>(answer->word), answer->body);
  return {std::move(answer->body), std::move(answer->file)};
}

}  // namespace tcmufs
