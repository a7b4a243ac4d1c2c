// hostile_user OWN SECONDS: in the directory OWN of a mount, which is its own, a user makes, renames, opens
// up and removes volumes as fast as it can, and at the same time tries every disk of the machine. Exit status
// 1: it could read or write one that begins with "precious", which others' disks do. Its own never do.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t word_bytes = 8;
constexpr off_t size_bytes = 1 << 20;

std::atomic<bool> over = false;
std::atomic<bool> leaked = false;
std::atomic<unsigned long> opened = 0;
std::atomic<unsigned long> made = 0;

void leak(const std::string& what) {
  std::printf("LEAK: %s\n", what.c_str());
  leaked = true;
}

bool is_precious(int file) {
  std::array<char, 4096> block{};
  return ::pread(file, block.data(), block.size(), 0) >= static_cast<ssize_t>(word_bytes) &&
         std::memcmp(block.data(), "precious", word_bytes) == 0;
}

void try_to_open(const std::string& node) {
  for (const int access : {O_RDWR, O_RDONLY}) {
    const int file = ::open(node.c_str(), access | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) continue;
    ++opened;
    if (is_precious(file)) leak(node + (access == O_RDWR ? " for writing" : " for reading"));
    ::close(file);
  }
}

void try_disks() {
  const std::unique_ptr<DIR, int (*)(DIR*)> dev(::opendir("/dev"), ::closedir);
  while (const dirent* entry = ::readdir(dev.get())) {
    if (std::strncmp(entry->d_name, "sd", 2) == 0) try_to_open(std::string("/dev/") + entry->d_name);
  }
}

void make(const std::string& name) {
  const int file = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) return;
  if (::ftruncate(file, size_bytes) == 0) ++made;
  ::close(file);
}

}  // namespace

int main(int /*count*/, char** words) {
  const std::string own = words[1];
  const std::string a = own + "/a";
  const std::string b = own + "/b";
  for (const char* name : {"user.x", "security.capability", "trusted.x", "system.posix_acl_access"}) {
    make(a);
    if (::setxattr(a.c_str(), name, "x", 1, 0) == 0) leak(std::string("could set ") + name);
  }
  std::vector<std::function<void()>> attempts = {[&] { try_disks(); },
                                                 [&] { make(a); },
                                                 [&] {
                                                   ::rename(a.c_str(), b.c_str());
                                                   ::rename(b.c_str(), a.c_str());
                                                 },
                                                 [&] {
                                                   ::chmod(a.c_str(), 0666);
                                                   ::chmod(a.c_str(), 0600);
                                                 },
                                                 [&] {
                                                   ::usleep(50'000);
                                                   ::unlink(a.c_str());
                                                   ::unlink(b.c_str());
                                                 },
                                                 [&] {
                                                   ::rename(a.c_str(), (own + "/../next").c_str());
                                                   ::rename((own + "/../next").c_str(), b.c_str());
                                                   ::symlink("../next", (own + "/link").c_str());
                                                   ::link((own + "/../next").c_str(),
                                                          (own + "/hard").c_str());
                                                   ::usleep(10'000);
                                                 }};
  std::vector<std::thread> threads;
  for (const auto& attempt : attempts) {
    threads.emplace_back([&attempt] {
      while (!over) attempt();
    });
  }
  std::this_thread::sleep_for(std::chrono::seconds(std::atoi(words[2])));
  over = true;
  for (auto& thread : threads) thread.join();
  std::printf("%lu disks made, %lu times one could be opened\n", made.load(), opened.load());
  return leaked ? 1 : 0;
}
