#include "volume/record.h"

#include <gtest/gtest.h>

#include "sys/error.h"

namespace tcmufs::volume {
namespace {

TEST(Record, ComesBackFromItsText) {
  Record record;
  record.uuid = Uuid::random();
  record.settings = with_settings({},
                                  {{"block_size", "4096"},
                                   {"direct", "1"},
                                   {"max_data_area_mb", "64"},
                                   {"queue_depth", "32"},
                                   {"poll_us", "0"}},
                                  "x");
  record.lun = 7;
  EXPECT_EQ(Record::parse(record.text(), "x"), record);
}

TEST(Record, OfADraftSaysSoAndOfOthersNothing) {
  Record record;
  record.uuid = Uuid::random();
  EXPECT_EQ(record.text().find("draft"), std::string::npos) << "older versions know no such key";
  record.draft = true;
  EXPECT_EQ(Record::parse(record.text(), "x"), record);
}

TEST(Record, WithoutALunComesBackWithoutOne) {
  Record record;
  record.uuid = Uuid::random();
  EXPECT_EQ(Record::parse(record.text(), "x"), record);
}

TEST(Record, OfTheFirstVersionKeepsItsMeaning) {
  const Record record = Record::parse(
      "{\"format\":1,\"uuid\":\"00112233-4455-6677-8899-aabbccddeeff\",\"block_size\":512,"
      "\"physical_block_size\":4096,\"lun\":3}",
      "x");
  EXPECT_EQ(record.settings, Settings{});
  EXPECT_EQ(record.lun, 3U);
  EXPECT_FALSE(record.draft);
  EXPECT_EQ(Settings{}.block_size_bytes, 512U);
  EXPECT_EQ(Settings{}.physical_block_size_bytes, 4096U);
}

TEST(DefaultsText, ComesBackAndIsRefusedLikeARecord) {
  Settings settings;
  settings.block_size_bytes = 4096;
  EXPECT_EQ(parse_defaults(defaults_text(settings), "x"), settings);
  for (const char* text :
       {"", "[]", "{\"format\":1}", "{\"format\":2,\"block_size\":512,\"physical_block_size\":512}",
        "{\"format\":1,\"block_size\":512,\"physical_block_size\":512,\"lun\":1}"}) {
    try {
      parse_defaults(text, "/s/.tcmufs/defaults");
      ADD_FAILURE() << text;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.error(), EBADMSG);
      EXPECT_NE(std::string(failure.what()).find("'/s/.tcmufs/defaults'"), std::string::npos);
    }
  }
}

struct BadText {
  const char* name;
  const char* text;
  const char* complaint;
};

class BadRecord : public testing::TestWithParam<BadText> {};

TEST_P(BadRecord, IsRefusedWithASentenceThatNamesTheFile) {
  try {
    Record::parse(GetParam().text, "/s/.tcmufs/records/v");
    FAIL() << "was taken";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBADMSG);
    EXPECT_NE(std::string(failure.what()).find("/s/.tcmufs/records/v"), std::string::npos);
    EXPECT_NE(std::string(failure.what()).find(GetParam().complaint), std::string::npos) << failure.what();
  }
}

#define UUID_KEY "\"uuid\":\"00112233-4455-6677-8899-aabbccddeeff\""
#define SIZES "\"block_size\":512,\"physical_block_size\":4096"

INSTANTIATE_TEST_SUITE_P(
    Texts, BadRecord,
    testing::Values(
        BadText{"Empty", "", "parse error"}, BadText{"NoJson", "hello", "parse error"},
        BadText{"NoObject", "[1]", "no object"},
        BadText{"OtherFormat", "{\"format\":2," UUID_KEY "," SIZES "}", "format is not 1"},
        BadText{"NoUuid", "{\"format\":1," SIZES "}", "uuid"},
        BadText{"BrokenUuid", "{\"format\":1,\"uuid\":\"x\"," SIZES "}", "uuid is none"},
        BadText{"UnknownKey", "{\"format\":1," UUID_KEY "," SIZES ",\"colour\":1}", "'colour' is unknown"},
        BadText{"OddBlockSize", "{\"format\":1," UUID_KEY ",\"block_size\":520,\"physical_block_size\":4096}",
                "block_size is 520"},
        BadText{"NoBlockSize", "{\"format\":1," UUID_KEY ",\"physical_block_size\":4096}", "block_size"},
        BadText{"BlockSizeInWords",
                "{\"format\":1," UUID_KEY ",\"block_size\":\"512\",\"physical_block_size\":4096}",
                "block_size is \"512\""},
        BadText{"PhysicalBelowLogical",
                "{\"format\":1," UUID_KEY ",\"block_size\":4096,\"physical_block_size\":512}",
                "physical blocks are smaller"}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace tcmufs::volume
