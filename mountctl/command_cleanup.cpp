#include "mountctl/command_cleanup.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "mountctl/command_mount.h"
#include "mountctl/refusal.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

std::vector<std::string> cleanup_arguments(const std::string& daemon, const CleanupOptions& options) {
  std::vector<std::string> arguments{daemon, "--cleanup"};
  if (options.dry_run) arguments.emplace_back("--dry-run");
  for (const std::string& store : options.stores) {
    arguments.emplace_back("--store");
    arguments.push_back(store);
  }
  return arguments;
}

int run_cleanup(std::vector<std::string> arguments, Deadline::Clock::duration timeout) {
  std::vector<char*> pointers = pointers_to(arguments);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, pointers[0], nullptr, nullptr, pointers.data(), environ);
  if (error != 0) throw Failure(error, "cannot run " + tcmufs::quoted(arguments[0]));
  int status = 0;
  const bool ended =
      poll_until(Deadline::after(timeout), [&] { return ::waitpid(child, &status, WNOHANG) == child; });
  if (!ended) {
    std::ostringstream seconds;
    seconds << std::chrono::duration<double>(timeout).count();
    throw Refusal(ExitStatus::timed_out, "not everything was removed within " + seconds.str() +
                                             " s. It goes on by itself, as process " + std::to_string(child));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void clean_up(const CleanupOptions& options) {
  const int status = run_cleanup(cleanup_arguments(own_daemon(), options), options.timeout);
  if (status != 0) std::exit(status);  // standard error has said why
}

}  // namespace tcmufs::mountctl
