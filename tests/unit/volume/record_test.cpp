#include "volume/record.h"

#include <gtest/gtest.h>

#include "sys/error.h"

namespace tcmufs::volume {
namespace {

TEST(Record, ComesBackFromItsText) {
  Record record;
  record.uuid = Uuid::random();
  record.block_size_bytes = 4096;
  record.lun = 7;
  EXPECT_EQ(Record::parse(record.text(), "x"), record);
}

TEST(Record, WithoutALunComesBackWithoutOne) {
  Record record;
  record.uuid = Uuid::random();
  EXPECT_EQ(Record::parse(record.text(), "x"), record);
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
                "block sizes"},
        BadText{"PhysicalBelowLogical",
                "{\"format\":1," UUID_KEY ",\"block_size\":4096,\"physical_block_size\":512}",
                "block sizes"}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace tcmufs::volume
