#include "sys/uuid.h"

#include <gmock/gmock.h>

#include <set>

namespace tcmufs {
namespace {

TEST(Uuid, IsReadBackFromItsText) {
  const std::string text = "0123abcd-4567-4def-8899-aabbccddeeff";
  const auto uuid = Uuid::parse(text);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->text(), text);
  EXPECT_EQ(uuid->hex(), "0123abcd45674def8899aabbccddeeff");
  EXPECT_EQ(uuid->bytes[0], 0x01);
  EXPECT_EQ(uuid->bytes[15], 0xff);
}

TEST(Uuid, ATextThatIsNoneIsRefused) {
  for (const char* text : {"", "0123abcd", "0123abcd-4567-4def-8899-aabbccddeef",
                           "0123abcd-4567-4def-8899-aabbccddeefff", "0123abcd-4567-4def-8899-aabbccddeefg",
                           "0123abcd04567-4def-8899-aabbccddeeff", "0123abcd-45674-def-8899-aabbccddeeff",
                           "0123ABCD-4567-4def-8899-aabbccddeeff", "-123abcd-4567-4def-8899-aabbccddeeff"}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
}

TEST(Uuid, RandomOnesDifferAndAreOfVersion4) {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string text = Uuid::random().text();
    EXPECT_THAT(text,
                testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 200U);
}

TEST(Uuid, EqualBytesAreEqual) {
  const Uuid uuid = Uuid::random();
  EXPECT_EQ(Uuid::parse(uuid.text()), uuid);
  Uuid other = uuid;
  other.bytes[15] ^= 1;
  EXPECT_NE(other, uuid);
}

}  // namespace
}  // namespace tcmufs
