#include "mountctl/command_status.h"

#include <gmock/gmock.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "fake_mount.h"
#include "mountctl/command_list.h"
#include "mountctl/command_wait.h"
#include "refused.h"

namespace tcmufs::mountctl {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* json = R"doc({"format":1,"version":"0.1.0","pid":17,"store":"/s","volumes":[
  {"name":"db0","state":"ready","size":10737418240,"device":"/dev/sda","link":"/dev/tcmufs/db0",
   "holders":["mounted on '/srv'"],"last_error":""},
  {"name":"new","state":"pending","size":0,"device":"","link":"","holders":[],"last_error":"no room (ENOSPC)"}
  ]})doc";

std::string listed(const FakeMount& mount, const ListOptions& options) {
  std::ostringstream out;
  list_volumes(mount.path(), options, out);
  return out.str();
}

TEST(List, IsATableWithBytes) {
  const FakeMount mount;
  mount.status(json);
  EXPECT_EQ(listed(mount, {}),
            "NAME  STATE    SIZE         DEVICE    LINK\n"
            "db0   ready    10737418240  /dev/sda  /dev/tcmufs/db0\n"
            "new   pending  0            -         -\n");
}

TEST(List, HasHumanSizesWhenAsked) {
  const FakeMount mount;
  mount.status(json);
  EXPECT_THAT(listed(mount, {.human = true}), HasSubstr("db0   ready    10G   /dev/sda"));
}

TEST(List, IsJsonWithBytesWhenAsked) {
  const FakeMount mount;
  mount.status(json);
  EXPECT_THAT(listed(mount, {.json = true, .human = true}), HasSubstr(R"("size": 10737418240)"));
}

TEST(List, NoVolumesAreAHeaderOnly) {
  const FakeMount mount;
  EXPECT_EQ(listed(mount, {}), "NAME  STATE  SIZE  DEVICE  LINK\n");
}

TEST(Status, ShowsTheMountWhoUsesItsDisksAndWhatWentWrong) {
  const FakeMount mount;
  mount.status(json);
  std::ostringstream out;
  show_mount(mount.path(), {}, out);
  EXPECT_THAT(out.str(),
              HasSubstr("mount   " + mount.path() + "\nstore   /s\ndaemon  tcmufs 0.1.0, process 17\n"));
  EXPECT_THAT(out.str(), HasSubstr("\nNAME  STATE"));
  EXPECT_THAT(out.str(), HasSubstr("\ndb0 is mounted on '/srv'\nnew: last error: no room (ENOSPC)\n"));
}

TEST(Status, JsonIsTheFileItself) {
  const FakeMount mount;
  mount.status(json);
  std::ostringstream out;
  show_mount(mount.path(), {.json = true}, out);
  EXPECT_EQ(out.str(), json);
}

TEST(Status, OfAVolumeIsItsStatusFile) {
  const FakeMount mount;
  mount.volume("web/disk0", 4096, "ready");
  mount.control("web/disk0", "status", "format: 1\nstate: ready\n");
  mount.control("web/disk0", "status.json", "{}\n");
  std::ostringstream text;
  show_volume(mount.path(), "web/disk0", false, text);
  EXPECT_EQ(text.str(), "format: 1\nstate: ready\n");
  std::ostringstream as_json;
  show_volume(mount.path(), "web/disk0", true, as_json);
  EXPECT_EQ(as_json.str(), "{}\n");
}

TEST(Status, OfADirectoryIsItsTable) {
  const FakeMount mount;
  mount.write("web/status", "NAME\n");
  std::ostringstream out;
  show_volume(mount.path(), "web", false, out);
  EXPECT_EQ(out.str(), "NAME\n");
  mount.status(R"({"format":1,"volumes":[{"name":"web/d"},{"name":"webby"}]})");
  std::ostringstream as_json;
  show_volume(mount.path(), "web", true, as_json);
  EXPECT_THAT(as_json.str(),
              testing::AllOf(StartsWith("["), HasSubstr("web/d"), testing::Not(HasSubstr("webby"))));
}

TEST(Status, OfAVolumeThatIsNotThereSaysSo) {
  const FakeMount mount;
  std::ostringstream out;
  EXPECT_THAT(refused(ExitStatus::failed, [&] { show_volume(mount.path(), "db9", false, out); }),
              HasSubstr("no volume 'db9'"));
}

constexpr auto at_leisure = std::chrono::seconds(60);
constexpr auto at_once = std::chrono::seconds(0);

TEST(Wait, ReadyReturns) {
  const FakeMount mount;
  mount.volume("db0", 4096, "ready");
  EXPECT_NO_THROW(wait_for_volume(mount.path(), "db0", at_once));
}

TEST(Wait, ReturnsWhenTheStateBecomesReady) {
  const FakeMount mount;
  mount.volume("db0", 4096, "attaching");
  std::thread daemon([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    mount.control("db0", "state", "ready\n");
  });
  EXPECT_NO_THROW(wait_for_volume(mount.path(), "db0", at_leisure));
  daemon.join();
}

TEST(Wait, FailedGivesTheLastError) {
  const FakeMount mount;
  mount.volume("db0", 4096, "failed");
  mount.control("db0", "last_error", "the module is missing (ENODEV)\n");
  EXPECT_THAT(refused(ExitStatus::failed, [&] { wait_for_volume(mount.path(), "db0", at_leisure); }),
              HasSubstr("'db0' has failed: the module is missing (ENODEV)"));
}

TEST(Wait, TimeoutGivesTheStateAndForPendingTheWayOut) {
  const FakeMount mount;
  mount.volume("db0", 4096, "attaching");
  EXPECT_THAT(refused(ExitStatus::timed_out, [&] { wait_for_volume(mount.path(), "db0", at_once); }),
              HasSubstr("state is attaching"));
  mount.volume("new", 0, "pending");
  EXPECT_THAT(refused(ExitStatus::timed_out, [&] { wait_for_volume(mount.path(), "new", at_once); }),
              HasSubstr("given a size"));
}

TEST(Wait, VolumeThatIsNotThereIsAnErrorAtOnce) {
  const FakeMount mount;
  EXPECT_THAT(refused(ExitStatus::failed, [&] { wait_for_volume(mount.path(), "db0", at_leisure); }),
              StartsWith("there is no volume 'db0'"));
}

}  // namespace
}  // namespace tcmufs::mountctl
