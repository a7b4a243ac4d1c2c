#include "mountctl/command_doctor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fake_mount.h"
#include "refused.h"
#include "sys/error.h"
#include "sys/fd.h"

namespace tcmufs::mountctl {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

constexpr const char* well = "OK modules: both are loaded\nWARN memlock: it is small: raise it\n";
constexpr const char* ill = "OK modules: both are loaded\nFIX configfs: it is not mounted\nFIX space: none\n";

TEST(Doctor, ShowsTheMountsFindings) {
  const FakeMount mount;
  mount.write(".ctl/doctor", well);
  std::ostringstream out;
  examine(mount.path(), "", {}, out);
  EXPECT_EQ(out.str(), well);
}

TEST(Doctor, FixIsStatus1AfterEverythingIsShown) {
  const FakeMount mount;
  mount.write(".ctl/doctor", ill);
  std::ostringstream out;
  EXPECT_THAT(refused(ExitStatus::failed, [&] { examine(mount.path(), "", {}, out); }),
              HasSubstr("2 things are to be fixed"));
  EXPECT_EQ(out.str(), ill);
}

TEST(Doctor, JsonIsAnArray) {
  std::ostringstream out;
  show_findings(parse_findings(well), {.json = true}, out);
  const Json json = Json::parse(out.str());
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[1]["level"], "WARN");
  EXPECT_EQ(json[1]["topic"], "memlock");
  EXPECT_EQ(json[1]["sentence"], "it is small: raise it");
}

TEST(Doctor, ColourIsTheLevels) {
  std::ostringstream out;
  show_findings(parse_findings("WARN a: b\n"), {.colour = true}, out);
  EXPECT_EQ(out.str(), "\033[33mWARN\033[0m a: b\n");
}

TEST(Doctor, OtherLinesStayAsTheyAre) {
  std::ostringstream out;
  show_findings(parse_findings("FIXED it: all\nFIX\n\nOK x\n"), {}, out);
  EXPECT_EQ(out.str(), "FIXED it: all\nFIX\nOK x\n");
}

/// A program that is run as the daemon.
class DoctorOfTheDaemon : public testing::Test {
 protected:
  void daemon_is(const std::string& script) const {
    directory_.write("tcmufs", "#!/bin/sh\n" + script);
    ::chmod(path().c_str(), 0755);
  }
  std::string path() const { return directory_ / "tcmufs"; }
  std::string examined(const std::string& mount, const std::string& store) const {
    std::ostringstream out;
    examine(mount, store, {}, out, [&] { return path(); });
    return out.str();
  }

  FileTree directory_;
};

TEST_F(DoctorOfTheDaemon, IsAskedWithoutAMountAndForAStore) {
  daemon_is("echo \"OK arguments: $#: $*\"");
  EXPECT_EQ(examined("", ""), "OK arguments: 1: --doctor\n");
  EXPECT_EQ(examined("", "/a store"), "OK arguments: 2: --doctor /a store\n");
  const FakeMount mount;
  mount.write(".ctl/doctor", well);
  EXPECT_EQ(examined(mount.path(), "/s"), "OK arguments: 2: --doctor /s\n");
  EXPECT_EQ(examined(mount.path(), ""), well);
}

TEST_F(DoctorOfTheDaemon, IsAskedWhereTheMountsOwnIsDead) {
  directory_.make_directory("mnt");
  const std::string point = directory_ / "mnt";
  {
    const Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (!device) GTEST_SKIP() << "/dev/fuse cannot be opened: " << errno_name(errno);
    const std::string data = "fd=" + std::to_string(device.number()) + ",rootmode=40000,user_id=0,group_id=0";
    if (::mount("/store", point.c_str(), "fuse.tcmufs", 0, data.c_str()) != 0)
      GTEST_SKIP() << "cannot mount: " << errno_name(errno);
  }  // nobody serves it any more
  daemon_is("echo 'OK it: is asked'");
  EXPECT_EQ(examined(point, ""), "OK it: is asked\n");
  ::umount2(point.c_str(), MNT_DETACH);
}

TEST_F(DoctorOfTheDaemon, SaysMoreThanAPipeHoldsAndFixIsStatus1) {
  daemon_is(
      "i=0; while [ $i -lt 3000 ]; do echo 'OK many: a line of some length, again and again'; i=$((i+1)); "
      "done\n"
      "echo 'FIX last: it'; exit 1");
  std::ostringstream out;
  refused(ExitStatus::failed, [&] { examine("", "", {}, out, [&] { return path(); }); });
  EXPECT_THAT(out.str(), testing::EndsWith("FIX last: it\n"));
  EXPECT_EQ(std::ranges::count(out.str(), '\n'), 3001);
}

TEST_F(DoctorOfTheDaemon, WhichSaysNothingOrCannotBeRunIsNoHealth) {
  daemon_is("exit 0");
  EXPECT_THAT(refused(ExitStatus::failed, [&] { (void)examined("", ""); }),
              HasSubstr("'" + path() + "' --doctor has found out nothing"));
  ::chmod(path().c_str(), 0644);
  try {
    (void)examined("", "");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EACCES);
  }
}

TEST(Doctor, FileThatIsMissingIsAFailure) {
  const FakeMount mount;
  std::ostringstream out;
  EXPECT_THROW(examine(mount.path(), "", {}, out), Failure);
}

}  // namespace
}  // namespace tcmufs::mountctl
