#include "attach/uio_name.h"

#include <gtest/gtest.h>

namespace tcmufs::attach {
namespace {

TEST(UioName, HasTheBackstoreAndItsHandler) {
  const auto name = UioName::parse("tcm-user/7/disk one/tcmufs//srv/images/a");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->hba, 7U);
  EXPECT_EQ(name->backstore(), "core/user_7/disk one");
  EXPECT_EQ(name->handler(), "tcmufs");
  EXPECT_EQ(name->config(), "/srv/images/a");
  EXPECT_EQ(name->text(), "tcm-user/7/disk one/tcmufs//srv/images/a");
}

TEST(UioName, WithoutAConfigHasAHandlerOnly) {
  const auto name = UioName::parse("tcm-user/0/a/tcmufs");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->handler(), "tcmufs");
  EXPECT_EQ(name->config(), "");
}

TEST(UioName, OfOthersIsNone) {
  for (const char* text : {"", "rtc", "tcm-user", "tcm-user/", "tcm-user/7", "tcm-user/7/a", "tcm-user/x/a/b",
                           "tcm-user//a/b", "tcm-user/7//b", "tcm-user/-1/a/b", "tcm-user/99999999999/a/b"}) {
    EXPECT_FALSE(UioName::parse(text)) << text;
  }
}

}  // namespace
}  // namespace tcmufs::attach
