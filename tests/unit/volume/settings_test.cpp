#include "volume/settings.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "ctlfs/control_files.h"
#include "sys/error.h"

namespace tcmufs::volume {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Settings sizes(u32 block, u32 physical) {
  return {block, physical};
}

std::string refusal(const Settings& settings, const std::string& name, const std::string& value) {
  try {
    with_setting(settings, name, value, "'db0'");
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EINVAL);
    return failure.what();
  }
  ADD_FAILURE() << name << " was set to " << value;
  return {};
}

TEST(Settings, TheThreePairsOfBlockSizesCanBeReached) {
  const Settings start;
  EXPECT_EQ(with_setting(start, "physical_block_size", "512", "x"), sizes(512, 512));
  EXPECT_EQ(with_setting(start, "block_size", "4096", "x"), sizes(4096, 4096));
  EXPECT_EQ(with_setting(sizes(4096, 4096), "block_size", "512", "x"), sizes(512, 4096));
}

TEST(Settings, ALargerBlockTakesThePhysicalBlockAlong) {
  EXPECT_EQ(with_setting(sizes(512, 512), "block_size", "4096", "x"), sizes(4096, 4096));
}

TEST(Settings, APhysicalBlockSmallerThanABlockIsRefusedWithTheWayToDoIt) {
  EXPECT_THAT(refusal(sizes(4096, 4096), "physical_block_size", "512"),
              AllOf(HasSubstr("cannot set physical_block_size of 'db0' to '512'"),
                    HasSubstr("block_size is 4096: set that to 512 first")));
}

TEST(Settings, ValuesThereAreNotAreRefusedWithThoseThereAre) {
  for (const char* value : {"", "0", "1", "513", "1024", "8192", "-512", "+512", "0512", "0x200", "512.0",
                            "4k", "4096 512", "512\n4096", "yes", "5 12", "99999999999999999999"}) {
    EXPECT_THAT(refusal({}, "block_size", value), HasSubstr("It can be 512 or 4096")) << value;
    EXPECT_THAT(refusal({}, "physical_block_size", value), HasSubstr("It can be 512 or 4096")) << value;
  }
}

TEST(Settings, ALongValueIsShownInPart) {
  EXPECT_LT(refusal({}, "block_size", std::string(4000, 'x')).size(), 200U);
}

TEST(Settings, OrderOfSeveralDoesNotMatterAndTheLastOfOneCounts) {
  EXPECT_EQ(with_settings(sizes(4096, 4096), {{"physical_block_size", "512"}, {"block_size", "512"}}, "x"),
            sizes(512, 512));
  EXPECT_EQ(with_settings({}, {{"block_size", "4096"}, {"block_size", "512"}}, "x"), Settings{});
  EXPECT_EQ(with_settings(sizes(4096, 4096), {}, "x"), sizes(4096, 4096));
  EXPECT_THROW(with_settings({}, {{"physical_block_size", "512"}, {"block_size", "4096"}}, "x"), Failure);
}

TEST(Settings, OneIsTakenOverAloneUnlessItDoesNotFit) {
  EXPECT_EQ(with_setting_of(sizes(512, 4096), sizes(512, 512), "physical_block_size"), sizes(512, 512));
  EXPECT_EQ(with_setting_of(sizes(512, 512), sizes(4096, 4096), "physical_block_size"), sizes(512, 4096));
  EXPECT_EQ(with_setting_of(sizes(4096, 4096), sizes(512, 512), "physical_block_size"), sizes(512, 512));
}

TEST(Settings, HaveTheNamesOfTheControlFilesThatTakeValues) {
  std::vector<std::string> of_volumes;
  for (const auto& file : ctlfs::volume_control_files()) {
    if (file.writable) of_volumes.emplace_back(file.name);
  }
  std::vector<std::string> defaults;
  for (const auto& file : ctlfs::default_control_files()) defaults.emplace_back(file.name);
  EXPECT_EQ(of_volumes, setting_names());
  EXPECT_EQ(defaults, setting_names());
}

}  // namespace
}  // namespace tcmufs::volume
