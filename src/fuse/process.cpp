#include "fuse/process.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string_view>

#include "sys/fd.h"

namespace tcmufs::fuse {

pid_t process_of(pid_t thread) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/status", thread);
  const Fd file(open(path.data(), O_RDONLY | O_CLOEXEC));
  if (!file) return thread;
  std::array<char, 1024> text{};
  const ssize_t length = ::read(file.number(), text.data(), text.size());
  if (length <= 0) return thread;
  const std::string_view status(text.data(), static_cast<std::size_t>(length));
  static constexpr std::string_view kKey = "\nTgid:\t";
  const auto at = status.find(kKey);
  if (at == std::string_view::npos) return thread;
  pid_t process = thread;
  std::from_chars(status.data() + at + kKey.size(), status.data() + status.size(), process);
  return process;
}

pid_t recent_process_of(pid_t thread) {
  using Clock = std::chrono::steady_clock;
  struct Known {
    pid_t thread = -1;
    pid_t process = -1;
    Clock::time_point when;
  };
  static thread_local Known known;
  const auto now = Clock::now();
  if (known.thread != thread || now - known.when > std::chrono::seconds(1)) {
    known = {thread, process_of(thread), now};
  }
  return known.process;
}

}  // namespace tcmufs::fuse
