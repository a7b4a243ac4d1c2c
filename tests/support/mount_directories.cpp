#include "support/mount_directories.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "sys/error.h"

namespace tcmufs::test {

MountDirectories::MountDirectories() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tcmufs-fuse-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw_errno("cannot make a temporary directory");
  base_ = pattern;
  chmod(base_.c_str(), 0755);
  for (const auto& directory : {mount_point(), other()}) mkdir(directory.c_str(), 0755);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  const std::string point = mount_point();
  child_ = fork();
  if (child_ == 0) {
    // Away from the terminal's and timeout's signals; told also if only threads that wait for the mount are
    // left.
    setpgid(0, 0);
    struct sigaction wake {};
    wake.sa_handler = [](int) {};
    sigaction(SIGUSR1, &wake, nullptr);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    close(ends[1]);
    char byte = 0;
    while (read(ends[0], &byte, 1) > 0) {
    }
    umount2(point.c_str(), MNT_FORCE);  // aborts the connection
    while (umount2(point.c_str(), MNT_DETACH) == 0) {
    }
    execl("/bin/rm", "rm", "-rf", "--one-file-system", base_.c_str(), nullptr);
    _exit(1);
  }
  close(ends[0]);
  guard_ = ends[1];
}

MountDirectories::~MountDirectories() {
  close(guard_);
  waitpid(child_, nullptr, 0);
}

}  // namespace tcmufs::test
