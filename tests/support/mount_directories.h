#pragma once

#include <sys/types.h>

#include <string>

namespace tcmufs::test {

/// Two temporary directories, one of them to mount on. A child process unmounts and removes both when this
/// process ends, however it ends.
class MountDirectories {
 public:
  MountDirectories();
  ~MountDirectories();
  MountDirectories(const MountDirectories&) = delete;
  MountDirectories& operator=(const MountDirectories&) = delete;

  std::string mount_point() const { return base_ + "/mnt"; }
  std::string other() const { return base_ + "/other"; }

 private:
  std::string base_;
  int guard_ = -1;  // the write end of a pipe: closed, the child cleans up
  pid_t child_ = -1;
};

}  // namespace tcmufs::test
