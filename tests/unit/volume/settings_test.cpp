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
  Settings settings;
  settings.block_size_bytes = block;
  settings.physical_block_size_bytes = physical;
  return settings;
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

TEST(Settings, NumbersHaveTheirBounds) {
  struct Bounds {
    const char* name;
    u32 least;
    u32 most;
  };
  for (const auto& [name, least, most] :
       {Bounds{"max_data_area_mb", 8, 2048}, Bounds{"cmd_ring_size_mb", 1, 8},
        Bounds{"data_pages_per_blk", 1, 256}, Bounds{"queue_depth", 1, 1024},
        Bounds{"read_ahead_kb", 0, 65536}, Bounds{"poll_us", 0, 10000}, Bounds{"cmd_timeout", 0, 86400},
        Bounds{"enospc_timeout", 0, 150}}) {
    for (const u32 number : {least, most}) {
      const std::string text = std::to_string(number);
      EXPECT_EQ(setting_text(with_setting({}, name, text, "x"), name), text);
    }
    const std::string can_be = "It can be " + std::to_string(least) + " to " + std::to_string(most);
    for (const std::string& text : {std::to_string(static_cast<int>(least) - 1), std::to_string(most + 1),
                                    std::string(), std::string("1x"), std::string("+9"), std::string("08"),
                                    std::string("1e1"), std::string("99999999999999999999")}) {
      EXPECT_THAT(refusal({}, name, text), HasSubstr(can_be)) << name << " " << text;
    }
  }
}

TEST(Settings, ASwitchIsOnOrOff) {
  for (const char* name : {"direct", "read_only", "write_cache", "discard"}) {
    for (const char* value : {"0", "1"})
      EXPECT_EQ(setting_text(with_setting({}, name, value, "x"), name), value);
    for (const char* value : {"", "yes", "2", "01"}) {
      EXPECT_THAT(refusal({}, name, value), HasSubstr("It can be 0 or 1")) << name << value;
    }
  }
}

TEST(Settings, SomeAreSwitches) {
  EXPECT_TRUE(is_switch("direct"));
  EXPECT_TRUE(is_switch("write_cache"));
  EXPECT_FALSE(is_switch("vendor"));
  EXPECT_FALSE(is_switch("poll_us"));
  EXPECT_FALSE(is_switch("allow_other"));
}

TEST(Settings, NamesAreAsciiOfTheLengthThatInquiryHas) {
  EXPECT_EQ(with_setting({}, "vendor", "ACME Ltd", "x").vendor, "ACME Ltd");
  EXPECT_EQ(with_setting({}, "product", "1234567890123456", "x").product, "1234567890123456");
  EXPECT_THAT(refusal({}, "vendor", "ACME Ltd."), HasSubstr("1 to 8 printable ASCII characters"));
  EXPECT_THAT(refusal({}, "product", "12345678901234567"), HasSubstr("1 to 16 printable ASCII characters"));
  EXPECT_THAT(refusal({}, "vendor", ""), HasSubstr("1 to 8"));
  EXPECT_THAT(refusal({}, "vendor", "Bl\xc3\xa4u"), HasSubstr("1 to 8"));
  EXPECT_THAT(refusal({}, "product", "a\tb"), HasSubstr("1 to 16"));
}

TEST(Settings, ASerialNumberIsAsciiOrNone) {
  const std::string longest = "S-1234567890 1234567890 12345678";
  EXPECT_EQ(with_setting({}, "serial", longest, "x").serial, longest);
  EXPECT_EQ(with_setting(with_setting({}, "serial", longest, "x"), "serial", "", "x").serial, "");
  EXPECT_THAT(refusal({}, "serial", longest + "9"), HasSubstr("at most 32 printable ASCII characters"));
  EXPECT_THAT(refusal({}, "serial", "a\tb"), HasSubstr("at most 32"));
}

TEST(Settings, SomeNeedNoOtherDisk) {
  for (const std::string& name : setting_names()) {
    const bool live =
        name == "queue_depth" || name == "read_ahead_kb" || name == "poll_us" || name == "enospc_timeout";
    for (const char* value : {"512", "4096", "1", "9"}) {
      Settings other;
      try {
        other = with_setting({}, name, value, "x");
      } catch (const Failure&) {
        continue;
      }
      EXPECT_EQ(only_tuned({}, other), live || other == Settings{}) << name << " " << value;
    }
  }
}

TEST(Settings, HaveTheNamesOfTheControlFilesThatTakeValuesButForSizeAndVerbs) {
  std::vector<std::string> of_volumes;
  for (const auto& file : ctlfs::volume_control_files()) {
    if (file.writable && file.name != "ctl" && file.name != "size") of_volumes.emplace_back(file.name);
  }
  std::vector<std::string> defaults;
  for (const auto& file : ctlfs::default_control_files()) defaults.emplace_back(file.name);
  EXPECT_EQ(of_volumes, setting_names());
  EXPECT_EQ(defaults, setting_names());
}

}  // namespace
}  // namespace tcmufs::volume
