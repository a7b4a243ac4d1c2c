#include "mountctl/command_doctor.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "fake_mount.h"
#include "refused.h"
#include "sys/error.h"

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

TEST(Doctor, FileThatIsMissingIsAFailure) {
  const FakeMount mount;
  std::ostringstream out;
  EXPECT_THROW(examine(mount.path(), "", {}, out), Failure);
}

}  // namespace
}  // namespace tcmufs::mountctl
