#include "mountctl/command_mount.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <cstdlib>
#include <sstream>

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
                                        quoted(own_directory) +
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

void mount_store(const std::vector<std::string>& options, const std::string& store,
                 const std::string& mount) {
  const std::string daemon = own_daemon();
  std::vector<std::string> arguments = daemon_arguments(daemon, options, store, mount);
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv(daemon.c_str(), pointers.data());
  throw_errno("cannot run " + quoted(daemon));
}

}  // namespace tcmufs::mountctl
