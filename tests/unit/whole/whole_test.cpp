#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "ctlfs/tree.h"
#include "fuse/session.h"
#include "support/mount_directories.h"
#include "support/random_user.h"
#include "support/seed.h"
#include "sys/text_file.h"
#include "unit/volume/registry_fixture.h"

namespace tcmufs::volume {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

/// A registry over a store of its own, in memory, the tree above it, and the kernel's FUSE; disks without a
/// kernel.
class Whole : public RegistryTest {
 protected:
  Whole() : RegistryTest("/dev/shm") {}
  void SetUp() override {
    if (::geteuid() != 0 || ::access("/dev/fuse", R_OK | W_OK) != 0) GTEST_SKIP() << "cannot mount";
    directories_.emplace();
  }
  void TearDown() override {
    if (session_) {
      session_->unmount();
      session_->stop();
    }
    if (server_.joinable()) server_.join();
    session_.reset();
    tree_.reset();
    directories_.reset();
  }

  void mount() {
    tree_.emplace(*registry_);
    session_.emplace(*tree_, fuse::Session::Options{mount_point(), store_.path(), {}});
    session_->mount();
    std::promise<void> ready;
    server_ = std::thread([&] { session_->run([&] { ready.set_value(); }); });
    ready.get_future().wait();
  }
  std::string mount_point() const { return directories_->mount_point(); }
  std::string in_mount(const std::string& path) const { return mount_point() + "/" + path; }

  std::map<std::string, std::string> states() const {
    std::map<std::string, std::string> result;
    const auto status = nlohmann::json::parse(read_text(in_mount(".ctl/status.json")));
    for (const auto& volume : status.at("volumes")) {
      result.emplace(volume.at("name").get<std::string>(), volume.at("state").get<std::string>());
    }
    return result;
  }

  static std::set<std::string> names_in(const std::string& path) {
    std::set<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
    if (!directory) throw_errno("cannot list " + quoted(path));
    while (const dirent* entry = ::readdir(directory.get())) names.insert(entry->d_name);
    return names;
  }

  template <typename Work>
  static duration<double> best_of(unsigned tries, Work work, duration<double> (*now)() = since_boot) {
    auto best = duration<double>::max();
    for (unsigned i = 0; i < tries; ++i) {
      const auto start = now();
      work();
      best = std::min(best, now() - start);
    }
    return best;
  }
  static duration<double> since_boot() { return steady_clock::now().time_since_epoch(); }
  /// What this process, with the kernel on its behalf, has used of the processors: the same on a busy
  /// machine.
  static duration<double> worked() { return duration<double>(double(std::clock()) / CLOCKS_PER_SEC); }

  /// How many disks there are now, of those that the fake kernel has been asked for.
  long disks() {
    long count = 0;
    for (const std::string& event : kernel_.taken_events()) {
      count += event.starts_with("made ") ? 1 : event.starts_with("gone ") ? -1 : 0;
    }
    return count;
  }

  std::optional<test::MountDirectories> directories_;
  std::optional<ctlfs::Tree> tree_;
  std::optional<fuse::Session> session_;
  std::thread server_;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double slowness = 10;
#else
constexpr double slowness = 1;
#endif

// Of several tries the best counts, not other work on the machine.
TEST_F(Whole, AThousandVolumesAreListedWithinATenthOfASecond) {
  constexpr unsigned volumes = 1000;
  for (unsigned i = 0; i < volumes; ++i) attached("volume" + std::to_string(i), 4096);
  mount();
  for (const char* file : {"status", ".ctl/status.json"}) {
    std::string text;
    const auto best = best_of(
        5, [&] { text = read_text(in_mount(file)); }, worked);
    EXPECT_GT(std::count(text.begin(), text.end(), '\n'), 0);
    EXPECT_THAT(text, testing::HasSubstr("volume999"));
    EXPECT_LT(best, duration<double>(0.1 * slowness)) << file << ": " << best.count() << " s";
    std::cout << file << " of " << volumes << " volumes: " << best.count() * 1000 << " ms\n";
  }
}

TEST_F(Whole, TheWorkToListADirectoryGrowsAsWhatIsInIt) {
  constexpr unsigned few = 1000;
  constexpr unsigned many = 10000;
  make_directory("few");
  make_directory("many");
  for (unsigned i = 0; i < few; ++i) create("few/" + std::to_string(i));
  for (unsigned i = 0; i < many; ++i) create("many/" + std::to_string(i));
  mount();
  const auto work_of = [&](const std::string& directory, unsigned volumes) {
    return best_of(
               5, [&] { EXPECT_EQ(names_in(in_mount(directory)).size(), volumes + 2); }, worked)
        .count();
  };
  const double times = work_of("many", many) / work_of("few", few);
  std::cout << "ten times as many names take " << times << " times the work\n";
  // The square would be a hundred times.
  EXPECT_LT(times, 30);
}

constexpr unsigned users = 8;
constexpr unsigned operations = 10000;

// Each has names of his own, of which he knows what must be there after every call.
TEST_F(Whole, TenThousandRandomOperationsOfEightThreadsDoWhatTheModelSays) {
  const u64 first = test::seed();
  std::cout << "TCMUFS_SEED=" << first << "\n";
  std::vector<test::RandomUser> everybody;
  everybody.reserve(users);
  for (unsigned i = 0; i < users; ++i)
    everybody.emplace_back(mount_point(), "u" + std::to_string(i), first + i);
  mount();
  std::vector<std::thread> threads;
  for (auto& user : everybody) {
    threads.emplace_back([&user] {
      try {
        for (unsigned i = 0; i < operations / users; ++i) user.step();
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_FALSE(HasFailure()) << "TCMUFS_SEED=" << first;

  std::map<std::string, std::string> expected;
  for (const auto& user : everybody) {
    for (const auto& [path, node] : user.nodes()) {
      if (!node.directory) expected.emplace(path, node.disk ? "ready" : "pending");
    }
  }
  EXPECT_EQ(states(), expected);
  for (auto& user : everybody) EXPECT_NO_THROW(user.remove_all());
  EXPECT_THAT(states(), testing::IsEmpty());
  EXPECT_EQ(names_in(mount_point()), (std::set<std::string>{".", "..", "status"}));
  EXPECT_EQ(names_in(store_.path()), (std::set<std::string>{".", "..", ".tcmufs"}));
  EXPECT_EQ(disks(), 0);
}

// All want the same names: nobody can say what a call must give, but all must agree at the end.
TEST_F(Whole, ThoseWhoFightForTheSameNamesLeaveATreeThatAgreesWithItself) {
  mount();
  const u64 first = test::seed();
  std::cout << "TCMUFS_SEED=" << first << "\n";
  std::vector<std::thread> threads;
  for (unsigned user = 0; user < users; ++user) {
    threads.emplace_back([&, user] {
      std::mt19937_64 random(first + user);
      const auto some_path = [&] {
        static constexpr std::array<const char*, 7> paths{"a", "b", "c~", "d", "d/a", "d/b", "d/d"};
        return in_mount(paths[random() % paths.size()]);
      };
      for (unsigned i = 0; i < operations / users / 4; ++i) {
        const std::string path = some_path();
        errno = 0;
        switch (random() % 7) {
          case 0:
          case 1:
            if (const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600); fd >= 0) {
              errno = 0;
              static_cast<void>(::ftruncate(fd, static_cast<off_t>(random() % 3 * 4096)));
              ::close(fd);
            }
            break;
          case 2:
            ::unlink(path.c_str());
            break;
          case 3:
            ::mkdir(path.c_str(), 0700);
            break;
          case 4:
            ::rmdir(path.c_str());
            break;
          default:
            ::rename(path.c_str(), some_path().c_str());
            break;
        }
        static const std::set<int> possible{0, EEXIST, ENOENT, EISDIR, ENOTDIR, ENOTEMPTY, EINVAL};
        if (!possible.contains(errno)) ADD_FAILURE() << path << ": " << errno_name(errno);
      }
    });
  }
  for (auto& thread : threads) thread.join();

  std::set<std::string> found;
  const auto look_at = [&](const std::string& directory, const auto& self) -> void {
    for (const std::string& name : names_in(in_mount(directory))) {
      if (name == "." || name == ".." || (directory.empty() && name == "status")) continue;
      const std::string path = directory.empty() ? name : directory + "/" + name;
      struct stat st {};
      struct stat image {};
      ASSERT_EQ(::stat(in_mount(path).c_str(), &st), 0) << path << ": " << errno_name(errno);
      ASSERT_EQ(::stat((store_ / path).c_str(), &image), 0) << path << ": " << errno_name(errno);
      EXPECT_EQ(S_ISDIR(st.st_mode), S_ISDIR(image.st_mode)) << path;
      if (S_ISDIR(st.st_mode)) {
        self(path, self);
      } else {
        EXPECT_EQ(st.st_size, image.st_size) << path;
        found.insert(path);
      }
    }
  };
  look_at("", look_at);
  std::set<std::string> said;
  long ready = 0;
  for (const auto& [path, state] : states()) {
    said.insert(path);
    ready += state == "ready" ? 1 : 0;
  }
  EXPECT_EQ(said, found) << "TCMUFS_SEED=" << first;
  EXPECT_EQ(disks(), ready) << "TCMUFS_SEED=" << first;
}

}  // namespace
}  // namespace tcmufs::volume
