#include "lio/kernel.h"

#include <gmock/gmock.h>
#include <sys/utsname.h>

#include "lio/modules.h"
#include "unit/lio/fake_places.h"

namespace tcmufs::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The name of no module of any kernel, so that nothing a test does loads one.
constexpr const char* no_module = "tcmufs_no_such_module";

/// A kernel of which only what the test adds is there; its list of modules is empty.
struct FakeKernel : FakePlaces {
  FakeKernel() {
    directory(places.modules);
    directory(places.etc);
    directory(places.var);
    write(config(), "");  // no directory, so that nothing can be mounted on it
  }

  std::string config() const { return sysfs() + "/kernel/config"; }

  void add_signs() const {
    for (const char* sign : {"/devices/tcm_user", "/bus/tcm_loop_bus", "/bus/scsi/drivers/sd"}) {
      directory(sysfs() + sign);
    }
  }

  Failure failure() const {
    try {
      lio::prepare_kernel(places);
    } catch (const Failure& caught) {
      return caught;
    }
    return {0, "no failure"};
  }

  lio::KernelPlaces places{sysfs(), proc(), root() + "/modules", root() + "/etc", root() + "/var"};
};

TEST(PrepareKernel, NamesEveryMissingModuleAndTheKernel) {
  const FakeKernel kernel;
  utsname name{};
  ASSERT_EQ(::uname(&name), 0);
  const Failure failure = kernel.failure();
  EXPECT_EQ(failure.error(), ENODEV);
  EXPECT_THAT(failure.what(),
              AllOf(HasSubstr(std::string("the kernel ") + name.release + " has no module"),
                    HasSubstr("target_core_user, tcm_loop, sd_mod"), HasSubstr("CONFIG_TCM_USER2")));
}

TEST(PrepareKernel, NamesOnlyWhatIsMissing) {
  const FakeKernel kernel;
  kernel.add_signs();
  std::filesystem::remove(kernel.sysfs() + "/bus/tcm_loop_bus");
  EXPECT_THAT(kernel.failure().what(), AllOf(HasSubstr("has no module tcm_loop:"), Not(HasSubstr("sd_mod"))));
}

TEST(PrepareKernel, TakesModulesThatNoListSaysAreBuiltIn) {
  const FakeKernel kernel;
  kernel.add_signs();
  EXPECT_THAT(kernel.failure().what(), HasSubstr("cannot mount configfs on '" + kernel.config() + "'"));
}

TEST(PrepareKernel, MakesTheDirectoriesOfReservationsBeforeModulesAreLoaded) {
  const FakeKernel kernel;
  kernel.add_signs();
  static_cast<void>(kernel.failure());
  EXPECT_TRUE(std::filesystem::is_directory(kernel.places.etc + "/target/pr"));
  EXPECT_TRUE(std::filesystem::is_directory(kernel.places.var + "/target/pr"));
}

TEST(PrepareKernel, LeavesNothingInAMachineThatHasNoModules) {
  const FakeKernel kernel;
  static_cast<void>(kernel.failure());
  EXPECT_FALSE(std::filesystem::exists(kernel.places.etc + "/target"));
}

TEST(PrepareKernel, SaysThatTheKernelHasNoConfigfs) {
  const FakeKernel kernel;
  kernel.add_signs();
  std::filesystem::remove(kernel.config());
  const Failure failure = kernel.failure();
  EXPECT_EQ(failure.error(), ENOENT);
  EXPECT_THAT(failure.what(), HasSubstr("has no configfs"));
}

TEST(Modules, OneThatTheListSaysIsBuiltInIsPresent) {
  const FakeKernel kernel;
  const std::string modules = kernel.root() + "/lib/modules/1.2.3";
  FakePlaces::write(modules + "/modules.order", "");
  FakePlaces::write(modules + "/modules.builtin", "kernel/drivers/" + std::string(no_module) + ".ko\n");
  const std::string depmod = "PATH=$PATH:/sbin:/usr/sbin depmod -b " + kernel.root() + " 1.2.3 2>/dev/null";
  if (std::system(depmod.c_str()) != 0) GTEST_SKIP() << "no depmod";  // NOLINT: fixed words
  EXPECT_EQ(lio::Modules(modules).state(no_module), lio::Modules::State::present);
  EXPECT_EQ(lio::Modules(modules).state("tcmufs_another"), lio::Modules::State::missing);
}

TEST(Modules, OneThatNoListKnowsIsMissing) {
  const FakeKernel kernel;
  const lio::Modules modules(kernel.places.modules);
  EXPECT_EQ(modules.state(no_module), lio::Modules::State::missing);
  EXPECT_EQ(modules.load(no_module), ENODEV);
}

}  // namespace
}  // namespace tcmufs::test
