#include "mountctl/progress.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <sstream>

#include "fake_mount.h"
#include "mountctl/command_apply.h"
#include "mountctl/command_create.h"
#include "mountctl/command_mount.h"
#include "mountctl/command_resize.h"
#include "mountctl/command_umount.h"
#include "mountctl/command_wait.h"
#include "mountctl/volume_verb.h"
#include "sys/fd.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr const char* wiped = "\r\033[K";

class Terminal {
 public:
  explicit Terminal(unsigned short columns = 80) {
    ::setenv("TERM", "xterm", 1);
    winsize size{24, columns, 0, 0};
    int master = -1;
    int slave = -1;
    EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, &size), 0);
    master_ = Fd(master);
    slave_ = Fd(slave);
  }

  int number() const { return slave_.number(); }
  /// What has been written to it and was not taken before, by now.
  std::string shown() {
    std::string text;
    pollfd item{master_.number(), POLLIN, 0};
    while (::poll(&item, 1, 0) > 0) {
      std::array<char, 1024> buffer{};
      const ssize_t count = ::read(master_.number(), buffer.data(), buffer.size());
      if (count <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }
  /// The same, as soon as there is a line.
  std::string shown_line() {
    std::string text;
    const auto limit = Deadline::after(std::chrono::seconds(20));
    EXPECT_TRUE(poll_until(limit, [&] { return (text += shown()).find(" s\r") != std::string::npos; }))
        << text;
    return text;
  }

 private:
  Fd master_;
  Fd slave_;
};

TEST(Progress, ShowsAfterASecondWhatIsWaitedForAndHowLongThenNothing) {
  Terminal terminal;
  {
    const Progress progress("waiting for 'db0'", terminal.number());
    EXPECT_EQ(terminal.shown(), "");
    EXPECT_THAT(terminal.shown_line(), MatchesRegex("\r\033\\[Kwaiting for 'db0': [1-9] s\r"));
    EXPECT_THAT(terminal.shown_line(), ContainsRegex("waiting for 'db0': [2-9] s\r"));
  }
  EXPECT_EQ(terminal.shown(), wiped);
}

TEST(Progress, ShowsNothingOfWhatTakesLessThanASecond) {
  Terminal terminal;
  { const Progress progress("waiting", terminal.number()); }
  EXPECT_EQ(terminal.shown(), "");
}

TEST(Progress, ShowsNothingElsewhereThanOnATerminalThatCanWipeALine) {
  Terminal terminal;
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  const Fd output(ends[0]);
  const Fd input(ends[1]);
  ::setenv("TERM", "dumb", 1);
  {
    const Progress dumb("waiting", terminal.number());
    ::setenv("TERM", "xterm", 1);
    const Progress piped("waiting", input.number());
    std::this_thread::sleep_for(std::chrono::milliseconds(1300));
  }
  char byte = 0;
  EXPECT_EQ(::read(output.number(), &byte, 1), -1);
  EXPECT_EQ(terminal.shown(), "");
}

TEST(Progress, IsCutToTheTerminal) {
  Terminal terminal(20);
  const Progress progress("waiting for what has a long name", terminal.number());
  std::string shown;
  const auto limit = Deadline::after(std::chrono::seconds(20));
  EXPECT_TRUE(poll_until(limit, [&] { return (shown += terminal.shown()).ends_with("ha\r"); }));
  EXPECT_THAT(shown, StartsWith("\r\033[Kwaiting for what ha\r"));
}

TEST(Progress, OfSomethingElseCountsAnew) {
  Terminal terminal;
  Progress progress("the first", terminal.number());
  EXPECT_THAT(terminal.shown_line(), HasSubstr("the first: "));
  EXPECT_THAT(terminal.shown_line(), ContainsRegex("the first: [2-9] s"));
  progress.now("the second");
  EXPECT_THAT(terminal.shown_line(), ContainsRegex("the second: [01] s\r"));
}

/// A command whose standard error is a terminal, and which has to wait.
class SlowCommand : public testing::Test {
 protected:
  void SetUp() override {
    mount_.volume("db0", 4096, "pending");
    for (const char* file : {"block_size", "ctl"}) fifo(".ctl/vol/db0/" + std::string(file));
    mount_.status(R"({"format":1,"pid":1,"volumes":[]})");
  }

  std::string fifo(const std::string& name) const {
    mount_.make_directory(boost::filesystem::path(name).parent_path().string());
    boost::filesystem::remove(mount_ / name);
    EXPECT_EQ(::mkfifo((mount_ / name).c_str(), 0600), 0);
    return mount_ / name;
  }

  /// What `command` shows; if it opens the FIFO `path` to write, that lasts until a line has been shown.
  std::string shown_by(const std::function<void()>& command, const std::string& path = {}) const {
    Terminal terminal;
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(terminal.number(), STDERR_FILENO);
      try {
        command();
      } catch (const std::exception&) {  // how it ends is another test's concern
        ::_exit(1);
      }
      ::_exit(0);
    }
    const std::string line = terminal.shown_line();
    Fd reader;
    if (!path.empty()) reader = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    ::waitpid(child, nullptr, 0);
    return line + terminal.shown();
  }

  FakeMount mount_;
};

TEST_F(SlowCommand, CreateSaysThatItWaits) {
  const std::string path = fifo(".ctl/vol/new/block_size");
  std::ostringstream out;
  EXPECT_THAT(shown_by(
                  [&] {
                    create_volume(mount_.path(), "new", 4096, {{"block_size", "512"}}, false, out);
                  },
                  path),
              AllOf(HasSubstr("waiting for 'new' to be a disk: "), EndsWith(wiped)));
}

TEST_F(SlowCommand, ApplySaysWhatItWaitsFor) {
  const std::string path = fifo(".ctl/vol/new/block_size");
  mount_.write(".ctl/defaults/block_size", "512\n");
  const auto description = parse_description("volumes.new = {size = 512, block_size = 512}", "d");
  std::ostringstream out;
  EXPECT_THAT(shown_by([&] { apply(mount_.path(), description, {}, out, out); }, path),
              AllOf(HasSubstr("waiting for 'new' to be a disk: "), EndsWith(wiped)));
}

TEST_F(SlowCommand, VerbsSayThatTheyWait) {
  EXPECT_THAT(shown_by([&] { tell_volume(mount_.path(), "db0", "detach"); }, mount_ / ".ctl/vol/db0/ctl"),
              HasSubstr("waiting for the mount to detach 'db0': "));
}

TEST_F(SlowCommand, ResizeSaysThatItWaits) {
  EXPECT_THAT(shown_by([&] { resize_volume(mount_.path(), "pipe", parse_size_change("4K")); }, fifo("pipe")),
              HasSubstr("waiting for the disk of 'pipe' to have its new size: "));
}

TEST_F(SlowCommand, WaitSaysThatItWaits) {
  EXPECT_THAT(shown_by([&] { wait_for_volume(mount_.path(), "db0", std::chrono::seconds(2)); }),
              AllOf(HasSubstr("waiting for 'db0' to be ready: "), EndsWith(wiped)));
}

TEST_F(SlowCommand, UmountSaysWhomItWaitsFor) {
  const auto unmounts = [](const std::string&, int) { return 0; };
  EXPECT_THAT(
      shown_by([&] { unmount(mount_.path(), {.timeout = std::chrono::seconds(2)}, unmounts); }),
      AllOf(HasSubstr("waiting for the daemon (process 1) to take the disks down: "), EndsWith(wiped)));
}

TEST_F(SlowCommand, MountSaysThatItWaitsForTheDaemonWhoseStatusIsItsOwn) {
  EXPECT_THAT(shown_by([&] {
                run_daemon({"/bin/sleep", "2"}, "waiting for the volumes");
              }),
              AllOf(StartsWith("\r\033[Kwaiting for the volumes: "), EndsWith(wiped)));
  EXPECT_EQ(run_daemon({"/bin/sh", "-c", "exit 5"}, ""), 5);
  EXPECT_EQ(run_daemon({"/bin/sh", "-c", "kill -TERM $$"}, ""), 128 + SIGTERM);
  EXPECT_THROW(run_daemon({"/no/such"}, ""), std::exception);
}

}  // namespace
}  // namespace tcmufs::mountctl
