#include "mountctl/command_mount.h"

#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "mountctl/progress.h"
#include "mountctl/refusal.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

constexpr const char* daemon_name = "tcmufs";

bool is_program(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string find_daemon(const std::string& own_executable, const std::string& search_path) {
  const auto slash = own_executable.rfind('/');
  const std::string own_directory = slash == std::string::npos ? "" : own_executable.substr(0, slash);
  std::string beside = own_directory + "/" + daemon_name;
  if (slash != std::string::npos && is_program(beside)) return beside;
  std::istringstream directories(search_path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    std::string path = (directory.empty() ? "." : directory) + "/" + daemon_name;
    if (is_program(path)) return path;
  }
  throw Refusal(ExitStatus::failed, std::string("the daemon ") + daemon_name + " is neither in " +
                                        tcmufs::quoted(own_directory) +
                                        ", beside mountctl, nor in PATH. Build or install it");
}

std::string own_daemon() {
  boost::system::error_code error;
  const std::string own_executable = boost::filesystem::read_symlink("/proc/self/exe", error).string();
  const char* search_path = std::getenv("PATH");
  return find_daemon(own_executable, search_path != nullptr ? search_path : "");
}

std::vector<std::string> daemon_arguments(const std::string& daemon, const std::vector<std::string>& options,
                                          const std::string& store, const std::string& mount) {
  std::vector<std::string> arguments{daemon};
  for (const std::string& option : options) {
    arguments.emplace_back("-o");
    arguments.push_back(option);
  }
  arguments.push_back(store);
  arguments.push_back(mount);
  return arguments;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

int run_daemon(std::vector<std::string> arguments, const std::string& what) {
  std::vector<char*> pointers = pointers_to(arguments);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, pointers[0], nullptr, nullptr, pointers.data(), environ);
  if (error != 0) throw Failure(error, "cannot run " + tcmufs::quoted(arguments[0]));
  const Progress progress(what);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void mount_store(const std::vector<std::string>& options, const std::string& store,
                 const std::string& mount) {
  const std::string daemon = own_daemon();
  std::vector<std::string> arguments = daemon_arguments(daemon, options, store, mount);
  if (Progress::shows_on(STDERR_FILENO)) {
    std::exit(run_daemon(std::move(arguments),
                         "waiting for the volumes of " + tcmufs::quoted(store) + " to be disks"));
  }
  std::vector<char*> pointers = pointers_to(arguments);
  ::execv(daemon.c_str(), pointers.data());
  throw_errno("cannot run " + tcmufs::quoted(daemon));
}

}  // namespace tcmufs::mountctl
