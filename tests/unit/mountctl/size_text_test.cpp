#include "mountctl/size_text.h"

#include <gmock/gmock.h>

#include "refused.h"

namespace tcmufs::mountctl {
namespace {

using testing::HasSubstr;

TEST(ParseSize, PlainNumberIsBytes) {
  EXPECT_EQ(parse_size("4096"), 4096u);
}

TEST(ParseSize, UnitsArePowersOf1024) {
  EXPECT_EQ(parse_size("1K"), u64{1} << 10);
  EXPECT_EQ(parse_size("64M"), u64{64} << 20);
  EXPECT_EQ(parse_size("10G"), 10737418240u);
  EXPECT_EQ(parse_size("1T"), u64{1} << 40);
  EXPECT_EQ(parse_size("2P"), u64{2} << 50);
  EXPECT_EQ(parse_size("7E"), u64{7} << 60);
}

TEST(ParseSize, SmallKAndIbMeanTheSame) {
  EXPECT_EQ(parse_size("4k"), 4096u);
  EXPECT_EQ(parse_size("4KiB"), 4096u);
  EXPECT_EQ(parse_size("1GiB"), u64{1} << 30);
}

TEST(ParseSize, FractionOfAUnitIsExactWhereItCanBe) {
  EXPECT_EQ(parse_size("1.5G"), u64{1536} << 20);
  EXPECT_EQ(parse_size("0.5K"), 512u);
  EXPECT_EQ(parse_size("1.50K"), 1536u);
  EXPECT_EQ(parse_size("0.0009765625M"), 1024u);
}

TEST(ParseSize, InexactFractionGivesTheMultipleOf4096Below) {
  EXPECT_EQ(parse_size("1.3G"), 1395863552u);  // 1395864371.2
  EXPECT_EQ(parse_size("0.1M") % 4096, 0u);
  EXPECT_EQ(parse_size("0.1M"), 102400u);  // 104857.6
}

TEST(ParseSize, LargestIsTheLargestFileOffset) {
  EXPECT_EQ(parse_size("9223372036854775807"), 9223372036854775807u);
  EXPECT_EQ(parse_size("7.99999999999999E"), 9223372036854764000u / 4096 * 4096);
}

TEST(ParseSize, TooLargeIsRefusedAndNeverWraps) {
  for (const char* text : {"9223372036854775808", "18446744073709551616", "99999999999999999999999", "8E",
                           "16E", "8388608T", "9007199254740992K", "92233720368547758070"}) {
    EXPECT_THAT(refused(ExitStatus::usage, [&] { parse_size(text); }), HasSubstr("too large")) << text;
  }
}

TEST(ParseSize, WhatIsNoSizeIsAUsageErrorThatQuotesIt) {
  for (const char* text :
       {"",    "G",     "x",      "-5",   "+5",   " 5",     "5 ",   "5 G", "1.5", "1.G",
        ".5G", "1..5G", "1.5.5G", "10GB", "10Gi", "10GiBs", "0x10", "1e9", "10g", "1,5G"}) {
    EXPECT_THAT(refused(ExitStatus::usage, [&] { parse_size(text); }),
                HasSubstr("'" + std::string(text) + "'"))
        << text;
  }
}

TEST(ParseSize, ZeroIsNoSizeOfADisk) {
  for (const char* text : {"0", "0G", "0.0G", "0.1K"}) {
    EXPECT_THAT(refused(ExitStatus::usage, [&] { parse_size(text); }), HasSubstr("0 bytes")) << text;
  }
}

TEST(SizeChange, SignMakesADifference) {
  EXPECT_EQ(size_after(parse_size_change("10G"), 1), u64{10} << 30);
  EXPECT_EQ(size_after(parse_size_change("+1K"), 1024), 2048u);
  EXPECT_EQ(size_after(parse_size_change("-1K"), 4096), 3072u);
}

TEST(SizeChange, ShrinkingToNothingOrBelowIsRefused) {
  EXPECT_THAT(refused(ExitStatus::failed, [] { (void)size_after(parse_size_change("-4K"), 4096); }),
              HasSubstr("4096 bytes"));
  refused(ExitStatus::failed, [] { (void)size_after(parse_size_change("-1T"), 4096); });
}

TEST(SizeChange, GrowingBeyondTheLargestIsRefused) {
  const u64 largest = 9223372036854775807u;
  EXPECT_EQ(size_after(parse_size_change("+7E"), largest - (u64{7} << 60)), largest);
  refused(ExitStatus::failed,
          [=] { (void)size_after(parse_size_change("+7E"), largest - (u64{7} << 60) + 1); });
}

TEST(HumanSize, HasOneDigitBehindThePointAtMost) {
  EXPECT_EQ(human_size(0), "0");
  EXPECT_EQ(human_size(1023), "1023");
  EXPECT_EQ(human_size(1024), "1K");
  EXPECT_EQ(human_size(1536), "1.5K");
  EXPECT_EQ(human_size(10737418240u), "10G");
  EXPECT_EQ(human_size((u64{1} << 40) + (u64{1} << 39)), "1.5T");
  EXPECT_EQ(human_size(9223372036854775807u), "8E");
}

TEST(HumanSize, RoundsUpIntoTheNextUnit) {
  EXPECT_EQ(human_size((u64{1} << 20) - 1), "1M");
  EXPECT_EQ(human_size((u64{1} << 30) - 1), "1G");
  EXPECT_EQ(human_size(1023 * u64{1024}), "1023K");
}

}  // namespace
}  // namespace tcmufs::mountctl
