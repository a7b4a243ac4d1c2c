#include "sys/errands.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "support/temporary_directory.h"
#include "sys/deadline.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

Brought tell_process(const Arguments& /*none*/, const Fd& /*none*/) {
  return {std::to_string(::getpid()), {}};
}

Brought join(const Arguments& arguments, const Fd& /*none*/) {
  std::string text;
  for (const std::string& one : arguments) text += "<" + one + ">";
  return {text, {}};
}

Brought refuse(const Arguments& arguments, const Fd& /*none*/) {
  throw Failure(ENOSPC, "no room in " + quoted(arguments[0]), "Make some");
}

Brought open_path(const Arguments& arguments, const Fd& /*none*/) {
  return {"", open_file(arguments[0], O_RDONLY)};
}

Brought read_file(const Arguments& /*none*/, const Fd& file) {
  std::array<char, 100> bytes{};
  const ssize_t n = ::pread(file.number(), bytes.data(), bytes.size(), 0);
  return {std::string(bytes.data(), static_cast<std::size_t>(n)), {}};
}

Brought wait_for_file(const Arguments& arguments, const Fd& /*none*/) {
  poll_until(Deadline::after(seconds(60)), [&] { return path_exists(arguments[0]); });
  return {"it came", {}};
}

Brought die(const Arguments& /*none*/, const Fd& /*none*/) {
  ::kill(::getpid(), SIGKILL);
  return {};
}

Brought list_what_is_open(const Arguments& arguments, const Fd& /*none*/) {
  std::string text;
  for (int fd = 0; fd < 1024; ++fd) {
    std::array<char, 256> target{};
    if (::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target.data(), target.size() - 1) > 0)
      text.append(target.data()).append("\n");
  }
  return {arguments.empty() ? text : "", {}};
}

struct Errands : ::testing::Test {
  std::string logged;
  ErrandProcess process{[this](const std::string& sentence) { logged += sentence; }};
};

TEST(WithoutAnErrandProcess, ErrandsAreDoneHere) {
  EXPECT_EQ(run_errand(&tell_process, {}).text, std::to_string(::getpid()));
}

TEST_F(Errands, AreDoneByTheOtherProcess) {
  EXPECT_EQ(run_errand(&tell_process, {}).text, std::to_string(process.pid()));
  EXPECT_NE(process.pid(), ::getpid());
}

TEST_F(Errands, GetTheirArgumentsAsTheyAre) {
  const std::string large(300000, 'x');
  EXPECT_EQ(run_errand(&join, {"", "12:3", std::string("a\0b", 3), large}).text,
            "<><12:3><" + std::string("a\0b", 3) + "><" + large + ">");
  EXPECT_EQ(run_errand(&join, {}).text, "");
}

TEST_F(Errands, FailAsIfTheyHadBeenDoneHere) {
  try {
    run_errand(&refuse, {"the attic"});
    FAIL() << "did not fail";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), ENOSPC);
    EXPECT_STREQ(failure.what(), "no room in 'the attic': No space left on device (ENOSPC). Make some");
  }
}

TEST_F(Errands, BringAndTakeDescriptors) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  Fd made = open_file(path, O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::write(made.number(), "hello", 5), 5);
  const Fd brought = run_errand(&open_path, {path}).file;
  ASSERT_TRUE(brought);
  EXPECT_NE(::fcntl(brought.number(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(run_errand(&read_file, {}, brought).text, "hello");
}

TEST_F(Errands, WaitForNobody) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  std::string text;
  std::thread waiting([&] { text = run_errand(&wait_for_file, {path}).text; });
  for (int i = 0; i < 10; ++i) EXPECT_EQ(run_errand(&join, {"a"}).text, "<a>");
  open_file(path, O_RDWR | O_CREAT, 0600);
  waiting.join();
  EXPECT_EQ(text, "it came");
}

TEST_F(Errands, AreGoneOnByAProcessThatHasNothingOfThis) {
  const Fd here = open_file("/proc/self/status", O_RDONLY);
  const std::string open = run_errand(&list_what_is_open, {}).text;
  EXPECT_THAT(open, HasSubstr("/dev/null\n"));
  EXPECT_THAT(open, Not(HasSubstr("status")));
  EXPECT_EQ(read_line("/proc/" + std::to_string(process.pid()) + "/comm"), "tcmufs-errands");
}

TEST(ErrandProcess, EndsWithThisOne) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t first = ::fork();
  if (first == 0) {
    const ErrandProcess process([](const std::string&) {});
    const pid_t second = process.pid();
    [[maybe_unused]] const auto told = ::write(ends[1], &second, sizeof second);
    ::kill(::getpid(), SIGKILL);
  }
  pid_t second = 0;
  ASSERT_EQ(::read(ends[0], &second, sizeof second), static_cast<ssize_t>(sizeof second));
  ::waitpid(first, nullptr, 0);
  const auto gone = [&] {
    try {
      return read_text("/proc/" + std::to_string(second) + "/stat").find(") Z") != std::string::npos;
    } catch (const Failure&) {
      return true;
    }
  };
  EXPECT_TRUE(poll_until(Deadline::after(seconds(20)), gone));
  for (const int end : ends) ::close(end);
}

TEST_F(Errands, AreDoneHereOnceTheirProcessHasDied) {
  EXPECT_THROW(run_errand(&die, {}), Failure);
  EXPECT_THAT(logged, HasSubstr("has died"));
  EXPECT_EQ(run_errand(&tell_process, {}).text, std::to_string(::getpid()));
}

TEST_F(Errands, FindOutThatTheirProcessHasDiedMeanwhile) {
  run_errand(&join, {});
  ::kill(process.pid(), SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(run_errand(&tell_process, {}).text, std::to_string(::getpid()));
  EXPECT_THAT(logged, HasSubstr("has died"));
}

}  // namespace
}  // namespace tcmufs::test
