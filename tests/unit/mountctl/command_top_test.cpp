#include "mountctl/command_top.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "fake_mount.h"
#include "mountctl/screen.h"
#include "refused.h"
#include "sys/error.h"
#include "sys/fd.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

constexpr const char* two_volumes = R"doc({"format":1,"version":"0.1.0","pid":17,"store":"/s","volumes":[
  {"name":"db0","state":"ready"},{"name":"web/d","state":"pending"}]})doc";

Json operation(u64 commands, u64 bytes, const Json& latency) {
  return {{"commands", commands}, {"bytes", bytes}, {"errors", 0}, {"time_ns", 0}, {"latency", latency}};
}
Json bucket(u64 from_ns, const Json& below_ns, u64 commands) {
  return {{"from_ns", from_ns}, {"below_ns", below_ns}, {"commands", commands}};
}
std::string statistics(u64 in_flight, const Json& read, const Json& write) {
  return Json{{"format", 1}, {"in_flight", in_flight}, {"operations", {{"read", read}, {"write", write}}}}
      .dump();
}
std::string idle() {
  return statistics(0, operation(0, 0, Json::array()), operation(0, 0, Json::array()));
}

VolumeCounters counters(const std::string& text) {
  return parse_counters(text, "stats.json");
}

TEST(Counters, DifferenceIsOfCountsAndOfEachBucket) {
  const auto before = counters(statistics(3, operation(10, 40960, Json::array({bucket(1024, 1280, 10)})),
                                          operation(0, 0, Json::array())));
  const auto after = counters(
      statistics(5, operation(13, 45056, Json::array({bucket(1024, 1280, 11), bucket(2048, 2560, 2)})),
                 operation(1, 512, Json::array({bucket(0, 256, 1)}))));
  const auto change = difference(before, after);
  EXPECT_EQ(change.in_flight, 5u);
  EXPECT_EQ(change.operations.at("read").commands, 3u);
  EXPECT_EQ(change.operations.at("read").bytes, 4096u);
  EXPECT_EQ(change.operations.at("read").latency.at(1024).commands, 1u);
  EXPECT_EQ(change.operations.at("read").latency.at(2048).commands, 2u);
  EXPECT_EQ(change.operations.at("write").commands, 1u);
  EXPECT_EQ(sum_of(change).commands, 4u);
}

TEST(Counters, ThatHaveGoneBackAreThoseOfANewDaemon) {
  const auto before = counters(
      statistics(0, operation(10, 4096, Json::array({bucket(0, 256, 10)})), operation(9, 9, Json::array())));
  const auto after = counters(
      statistics(0, operation(2, 1024, Json::array({bucket(0, 256, 2)})), operation(9, 9, Json::array())));
  const auto change = difference(before, after);
  EXPECT_EQ(change.operations.at("read").commands, 2u);
  EXPECT_EQ(change.operations.at("read").latency.at(0).commands, 2u);
  EXPECT_EQ(change.operations.at("write").commands, 0u);
}

TEST(Counters, PercentileIsTheEndOfTheBucketThatHoldsIt) {
  const auto read =
      counters(statistics(0, operation(100, 0, Json::array({bucket(1024, 1280, 98), bucket(4096, 5120, 2)})),
                          operation(1, 0, Json::array({bucket(68719476736, nullptr, 1)}))));
  EXPECT_EQ(percentile_ns(read.operations.at("read"), 500), 1279u);
  EXPECT_EQ(percentile_ns(read.operations.at("read"), 980), 1279u);
  EXPECT_EQ(percentile_ns(read.operations.at("read"), 990), 5119u);
  EXPECT_EQ(percentile_ns(read.operations.at("write"), 500), 68719476736u);
  EXPECT_EQ(percentile_ns(OperationCounters{}, 500), std::nullopt);
}

TEST(Counters, TextThatIsNoneIsRefusedWithItsName) {
  EXPECT_THAT(refused(ExitStatus::failed, [] { (void)counters("{}"); }), HasSubstr("'stats.json'"));
  EXPECT_THAT(refused(ExitStatus::failed, [] { (void)counters("NAME"); }), HasSubstr("'stats.json'"));
}

MountLook look(int second, const std::string& text) {
  return {Deadline::Clock::time_point(std::chrono::seconds(second)), {{"db0", "ready", counters(text)}}};
}

TEST(Activity, IsPerSecondOfTheTimeThatHasReallyPassed) {
  const auto volumes = activities(
      look(10, idle()),
      look(14,
           statistics(
               7, operation(400, 400 * 4096, Json::array({bucket(1024, 1280, 390), bucket(4096, 5120, 10)})),
               operation(4, 8 << 20, Json::array({bucket(9216, 10240, 4)})))));
  EXPECT_EQ(activity_table(volumes, false),
            "NAME  STATE  IOPS  READ/S  WRITE/S  P50_US  P99_US  IN_FLIGHT\n"
            "db0   ready  101   400K    2M       1.3     5.1     7\n");
  const Json json = Json::parse(activity_json("/m", 4, volumes));
  EXPECT_EQ(json["volumes"][0]["commands_per_s"], 101.0);
  EXPECT_EQ(json["volumes"][0]["operations"]["write"]["bytes_per_s"], 2.0 * (1 << 20));
  EXPECT_EQ(json["volumes"][0]["operations"]["write"]["p99_ns"], 10239);
  EXPECT_EQ(json["volumes"][0]["in_flight"], 7);
}

TEST(Activity, OfAVolumeThatIsNewOrGoneIsNone) {
  MountLook before = look(0, idle());
  before.volumes[0].counters.reset();
  const auto volumes =
      activities(before, look(1, statistics(2, operation(400, 0, Json::array({bucket(0, 256, 400)})),
                                            operation(0, 0, Json::array()))));
  EXPECT_THAT(activity_table(volumes, false),
              HasSubstr("db0   ready  0     0       0        -       -       2\n"));
}

TopOptions once() {
  return {.once = true, .interval = std::chrono::milliseconds(10)};
}

TEST(Top, OncePrintsOneIntervalOfEveryVolume) {
  const FakeMount mount;
  mount.status(two_volumes);
  mount.control("db0", "stats.json", idle());  // web/d goes away between the list and the look
  std::ostringstream out;
  show_top(mount.path(), once(), out);
  EXPECT_EQ(out.str(),
            "NAME   STATE    IOPS  READ/S  WRITE/S  P50_US  P99_US  IN_FLIGHT\n"
            "db0    ready    0     0       0        -       -       0\n"
            "web/d  pending  0     0       0        -       -       0\n");
}

TEST(Top, JsonIsALineForAnInterval) {
  const FakeMount mount;
  mount.status(two_volumes);
  mount.control("db0", "stats.json", idle());
  std::ostringstream out;
  TopOptions options = once();
  options.json = true;
  show_top(mount.path(), options, out);
  EXPECT_EQ(out.str().find('\n'), out.str().size() - 1);
  EXPECT_EQ(Json::parse(out.str())["volumes"][1]["name"], "web/d");
}

TEST(Top, MountThatIsGoneIsAFailure) {
  std::ostringstream out;
  EXPECT_THROW(show_top("/no/such", once(), out), Failure);
}

/// A terminal of 5 rows and 40 columns, on which `mountctl top` runs in a process of its own.
class TopOnATerminal : public testing::Test {
 protected:
  void SetUp() override {
    mount_.status(two_volumes);
    mount_.control("db0", "stats.json", idle());
    winsize size{5, 40, 0, 0};
    int master = -1;
    int slave = -1;
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, &size), 0);
    master_ = Fd(master);
    slave_ = Fd(slave);
    ASSERT_EQ(::tcgetattr(slave, &before_), 0);
    child_ = ::fork();
    ASSERT_GE(child_, 0);
    if (child_ == 0) run();
  }
  void TearDown() override {
    if (child_ > 0) ::kill(child_, SIGKILL);
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
  }

  /// What is shown until `expected` is.
  std::string shown_until(const std::string& expected) {
    std::string text;
    const auto limit = Deadline::after(std::chrono::seconds(20));
    while (text.find(expected) == std::string::npos) {
      pollfd item{master_.number(), POLLIN, 0};
      if (limit.passed() || ::poll(&item, 1, 20'000) <= 0) {
        ADD_FAILURE() << "not shown: " << expected << ", the last is "
                      << text.substr(text.size() - std::min<std::size_t>(text.size(), 500));
        break;
      }
      std::array<char, 4096> buffer{};
      const ssize_t count = ::read(master_.number(), buffer.data(), buffer.size());
      if (count <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }
  void type(const std::string& keys) const {
    ASSERT_EQ(::write(master_.number(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  int exit_status() {
    int status = -1;
    ::waitpid(std::exchange(child_, -1), &status, 0);
    return status;
  }
  void must_be_as_before() const {
    termios now{};
    ASSERT_EQ(::tcgetattr(master_.number(), &now), 0);
    EXPECT_EQ(now.c_lflag, before_.c_lflag);
    EXPECT_EQ(now.c_cc[VSUSP], before_.c_cc[VSUSP]);
  }

  FakeMount mount_;
  Fd master_;
  Fd slave_;
  pid_t child_ = -1;

 private:
  [[noreturn]] void run() {
    ::setsid();
    ::ioctl(slave_.number(), TIOCSCTTY, 0);
    master_.reset();  // or the terminal never hangs up
    std::ostringstream out;
    TopOptions options{
        .interval = std::chrono::milliseconds(50), .keyboard = slave_.number(), .screen = slave_.number()};
    int status = 0;
    try {
      show_top(mount_.path(), options, out);
    } catch (const std::exception&) {
      status = 1;
    }
    ::_exit(status);
  }

  termios before_{};
};

constexpr const char* left = "\033[?25h\033[?1049l";

TEST_F(TopOnATerminal, EndsWithQAndLeavesItAsItWas) {
  const std::string screen = shown_until("web/d");
  EXPECT_THAT(screen, HasSubstr("\033[?1049h\033[?25l"));
  type("xq");
  shown_until(left);
  must_be_as_before();  // before the end of the session hangs it up
  EXPECT_EQ(exit_status(), 0);
}

TEST_F(TopOnATerminal, EndsWithControlCAndLeavesItAsItWas) {
  shown_until("web/d");
  type("\003");
  shown_until(left);
  must_be_as_before();  // before the end of the session hangs it up
  EXPECT_EQ(exit_status(), 0);
}

TEST_F(TopOnATerminal, EndsWithAFailureAndLeavesItAsItWas) {
  shown_until("web/d");
  boost::filesystem::remove_all(mount_.path() + "/.ctl");
  shown_until(left);
  must_be_as_before();
  EXPECT_EQ(exit_status(), 1 << 8);
}

TEST_F(TopOnATerminal, IsCutToItsSizeAndDrawnAnewWhenThatChanges) {
  const std::string small = shown_until("db0 ");
  EXPECT_THAT(small, Not(HasSubstr("IN_FLIGHT")));
  const winsize wide{5, 120, 0, 0};
  ASSERT_EQ(::ioctl(master_.number(), TIOCSWINSZ, &wide), 0);
  shown_until("IN_FLIGHT");
  const winsize low{3, 120, 0, 0};
  ASSERT_EQ(::ioctl(master_.number(), TIOCSWINSZ, &low), 0);
  shown_until("\033[K\033[J");  // what was under way
  shown_until("\033[K\033[J");
  EXPECT_THAT(shown_until("\033[K\033[J"), AllOf(HasSubstr("IN_FLIGHT"), Not(HasSubstr("db0"))));
  type("q");
  shown_until(left);
}

TEST_F(TopOnATerminal, HasTheBusiestFirst) {
  shown_until("db0 ");
  const std::regex busiest_first("NAME[^\r]*\r+\nweb/d");
  u64 commands = 0;
  EXPECT_TRUE(poll_until(Deadline::after(std::chrono::seconds(20)), [&] {
    commands += 1000;
    mount_.write("new", statistics(0, operation(commands, 0, Json::array()), operation(0, 0, Json::array())));
    mount_.make_directory(".ctl/vol/web/d");
    boost::filesystem::rename(mount_ / "new", mount_ / ".ctl/vol/web/d/stats.json");
    return std::regex_search(shown_until("\033[J"), busiest_first);
  }));
  type("q");
  shown_until(left);
}

TEST(Activity, BusiestComeFirst) {
  std::vector<VolumeActivity> volumes(2);
  volumes[0].name = "idle";
  volumes[1].name = "busy";
  volumes[1].counters.operations["read"].commands = 1;
  busiest_first(volumes);
  EXPECT_EQ(volumes[0].name, "busy");
}

}  // namespace
}  // namespace tcmufs::mountctl
