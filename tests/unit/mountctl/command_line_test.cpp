#include "mountctl/command_line.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "fake_mount.h"
#include "mountctl/command_mount.h"
#include "refused.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Arguments = std::vector<std::string>;

std::string printed(const Arguments& arguments) {
  testing::internal::CaptureStdout();
  parse_command_line(arguments)();
  return testing::internal::GetCapturedStdout();
}

TEST(CommandLine, HelpNamesEveryCommandAndTheExitStatuses) {
  const std::string help = printed({"--help"});
  for (const char* command :
       {"mount", "umount", "cleanup", "list", "status", "wait", "top", "watch", "doctor", "explain", "create", "apply",
        "resize", "rm", "set", "get", "attach", "detach", "--mount"}) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::string(command) + " "));
  }
  EXPECT_THAT(help, AllOf(HasSubstr("0 done"), HasSubstr("1 refused"), HasSubstr("2 wrong"),
                          HasSubstr("3 timed out")));
}

TEST(CommandLine, CommandHasHelpOfItsOwn) {
  EXPECT_THAT(printed({"umount", "--help"}),
              AllOf(HasSubstr("--force"), HasSubstr("--timeout"), HasSubstr("=60")));
}

TEST(CommandLine, CreateTakesBlockSizes) {
  EXPECT_THAT(printed({"create", "--help"}),
              AllOf(HasSubstr("--block-size"), HasSubstr("--physical-block-size")));
  EXPECT_NO_THROW(
      parse_command_line({"create", "a", "1G", "--block-size", "4K", "--physical-block-size=4096"}));
  refused(ExitStatus::usage, [] { parse_command_line({"create", "a", "1G", "--block-size"}); });
}

TEST(CommandLine, VersionIsTheProjects) {
  EXPECT_THAT(printed({"--version"}), testing::StartsWith("mountctl 0."));
}

TEST(CommandLine, WrongUsageIsStatus2) {
  for (const Arguments& arguments :
       {Arguments{}, Arguments{"bogus"}, Arguments{"create", "db0"}, Arguments{"rm"},
        Arguments{"rm", "a", "b"}, Arguments{"umount"}, Arguments{"mount", "/s"}, Arguments{"list", "--frob"},
        Arguments{"list", "rm", "a"}, Arguments{"set", "a"}, Arguments{"get"}, Arguments{"attach"},
        Arguments{"detach", "a", "b"}, Arguments{"apply"}, Arguments{"top", "a"},
        Arguments{"watch", "a", "b"}, Arguments{"umount", "/m", "--timeout", "soon"}, Arguments{"--mount"}}) {
    EXPECT_THAT(refused(ExitStatus::usage, [&] { parse_command_line(arguments); }),
                HasSubstr("mountctl --help"));
  }
}

TEST(CommandLine, WrongSizeOrTimeoutIsStatus2EvenWithoutAMount) {
  for (const Arguments& arguments :
       {Arguments{"create", "a", "0"}, Arguments{"create", "a", "x"}, Arguments{"create", "a", "+1G"},
        Arguments{"create", "a", "1G", "--block-size", "x"},
        Arguments{"create", "a", "1G", "--physical-block-size", "0"}, Arguments{"resize", "a", "x"},
        Arguments{"resize", "a", "-0"}, Arguments{"set", "a", "b"}}) {
    const auto action = parse_command_line(arguments);
    refused(ExitStatus::usage, action);
  }
}

TEST(CommandLine, MountOptionStandsBeforeOrAfterTheCommand) {
  for (const Arguments& arguments :
       {Arguments{"--mount", "/no/such", "list"}, Arguments{"list", "--mount", "/no/such"},
        Arguments{"rm", "a", "--mount=/no/such"}, Arguments{"resize", "a", "-1G", "--mount", "/no/such"},
        Arguments{"resize", "--mount", "/no/such", "a", "+1G"}, Arguments{"umount", "/no/such", "--force"}}) {
    const auto action = parse_command_line(arguments);
    EXPECT_THAT(refused(ExitStatus::failed, action), HasSubstr("'/no/such' is no mount"));
  }
}

TEST(CommandLine, MountOptionsTakeOneWordEachSoThatStoreAndMountMayFollow) {
  EXPECT_NO_THROW(parse_command_line({"mount", "-o", "ro", "-o", "x,y", "/s", "/m"}));
  EXPECT_NO_THROW(parse_command_line({"mount", "/s", "/m", "-o", "ro"}));
  refused(ExitStatus::usage, [] { parse_command_line({"mount", "-o", "ro", "x", "/s", "/m"}); });
}

class DaemonSearch : public testing::Test {
 protected:
  void program(const std::string& name, mode_t mode) {
    directory_.write(name, "#!/bin/sh\n");
    ::chmod((directory_.path() + "/" + name).c_str(), mode);
  }
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }

 private:
  FileTree directory_;
};

TEST_F(DaemonSearch, OneBesideTheProgramComesFirst) {
  program("bin/tcmufs", 0755);
  program("path/tcmufs", 0755);
  EXPECT_EQ(find_daemon(path("bin/mountctl"), path("path")), path("bin/tcmufs"));
}

TEST_F(DaemonSearch, ElseItIsTheFirstProgramInThePath) {
  program("a/tcmufs", 0644);    // no program
  program("b/tcmufs/x", 0755);  // a directory of that name
  program("c/tcmufs", 0755);
  program("d/tcmufs", 0755);
  EXPECT_EQ(
      find_daemon(path("bin/mountctl"), path("a") + ":" + path("b") + ":" + path("c") + ":" + path("d")),
      path("c/tcmufs"));
}

TEST_F(DaemonSearch, NoneIsASentenceWithThePlaces) {
  EXPECT_THAT(refused(ExitStatus::failed, [&] { (void)find_daemon(path("bin/mountctl"), path("a")); }),
              AllOf(HasSubstr(path("bin")), HasSubstr("PATH")));
}

TEST(DaemonArguments, OptionsComeBeforeStoreAndMount) {
  EXPECT_THAT(daemon_arguments("/b/tcmufs", {"ro,allow_other", "x"}, "/s", "/m"),
              ElementsAre("/b/tcmufs", "-o", "ro,allow_other", "-o", "x", "/s", "/m"));
}

}  // namespace
}  // namespace tcmufs::mountctl
