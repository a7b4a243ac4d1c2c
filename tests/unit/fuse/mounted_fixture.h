#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ctlfs/tree.h"
#include "fuse/session.h"
#include "support/fake_backend.h"
#include "support/mount_directories.h"

namespace tcmufs::fuse {

using test::MountDirectories;

/// What a shell command did.
struct Result {
  int status = -1;     // of the exit; 124: it did not end within 60 s
  std::string output;  // stdout and stderr
};

/// Runs `command` in bash with `directory` as working directory. $M is `mount_point`, $O `other`.
Result shell(const std::string& command, const std::string& directory, const MountDirectories& directories);

/// A session over a fake backend, with the kernel's FUSE. Skipped where one cannot mount.
class Mounted : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Mounts and serves on a thread.
  void start(const std::vector<std::string>& options = {});
  /// Returns when run() has returned (true), or after 20 s (false).
  bool served();

  /// In the mount.
  Result run(const std::string& command) { return shell(command, directories->mount_point(), *directories); }
  /// Elsewhere.
  Result run_outside(const std::string& command) {
    return shell(command, directories->other(), *directories);
  }
  /// The status of run(), its output shown if it is not the one expected.
  void expect(int status, const std::string& command, const std::string& words = {});

  /// The volumes that became disks: "attach NAME SIZE", SIZE > 0.
  std::vector<std::string> disks() const;
  std::string contents(const std::string& name) const;

  std::optional<MountDirectories> directories;
  testing::FakeBackend backend;
  std::optional<ctlfs::Tree> tree;
  std::optional<Session> session;
  std::thread server;
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;  // guarded by mutex
};

}  // namespace tcmufs::fuse
