#include "mounted_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "sys/error.h"

namespace tcmufs::fuse {

Result shell(const std::string& command, const std::string& directory, const MountDirectories& directories) {
  static std::atomic<int> number = 0;
  const std::string script = directories.other() + "/../script" + std::to_string(++number);
  FILE* file = std::fopen(script.c_str(), "we");
  std::fprintf(file, "export LC_ALL=C M='%s' O='%s'\ncd '%s' || exit 99\n%s\n",
               directories.mount_point().c_str(), directories.other().c_str(), directory.c_str(),
               command.c_str());
  std::fclose(file);
  Result result;
  FILE* pipe = popen(("timeout -k 5 60 bash '" + script + "' 2>&1").c_str(), "re");
  std::array<char, 4096> buffer{};
  while (const std::size_t length = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.append(buffer.data(), length);
  }
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

void Mounted::SetUp() {
  const int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) GTEST_SKIP() << "/dev/fuse cannot be opened: " << errno_name(errno);
  close(device);
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount";
  directories.emplace();
}

void Mounted::TearDown() {
  backend.release_calls();
  if (session) {
    session->unmount();
    session->stop();
  }
  if (server.joinable()) server.join();
  session.reset();
  directories.reset();
}

void Mounted::start(const std::vector<std::string>& options) {
  tree.emplace(backend);
  session.emplace(*tree, Session::Options{directories->mount_point(), "/the/store", options});
  try {
    session->mount();
  } catch (const Failure& failure) {
    if (failure.error() == EPERM) GTEST_SKIP() << failure.what();
    throw;
  }
  bool ready = false;  // guarded by mutex
  std::unique_lock lock(mutex);
  done = false;
  server = std::thread([&, this] {
    session->run([&] {
      const std::lock_guard answers(mutex);
      ready = true;
      changed.notify_all();
    });
    const std::lock_guard ended(mutex);
    done = true;
    changed.notify_all();
  });
  changed.wait(lock, [&] { return ready; });
}

bool Mounted::served() {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, std::chrono::seconds(20), [&] { return done; });
}

void Mounted::expect(int status, const std::string& command, const std::string& words) {
  const Result result = run(command);
  EXPECT_EQ(result.status, status) << command << "\n" << result.output;
  EXPECT_THAT(result.output, ::testing::HasSubstr(words)) << command;
}

std::vector<std::string> Mounted::disks() const {
  std::vector<std::string> made;
  for (const auto& call : backend.calls("attach")) {
    if (!call.ends_with(" 0")) made.push_back(call);
  }
  return made;
}

std::string Mounted::contents(const std::string& name) const {
  const auto volume = backend.volume(name);
  return volume ? volume->contents() : "(no volume)";
}

}  // namespace tcmufs::fuse
