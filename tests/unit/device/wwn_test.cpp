#include "tcmufs/wwn.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "tcmufs/error.h"

namespace tcmufs {
namespace {

TEST(WwnTest, Naa5HasEightBytesAndNaa6Sixteen) {
  EXPECT_EQ(Wwn::naa5("001405", "123456789").text(), "naa.5001405123456789");
  EXPECT_EQ(Wwn::naa5("00ABCD", "fedcba98").text(), "naa.500abcd0fedcba98");
  EXPECT_EQ(Wwn::naa6("001405", "123456789", "0123456789ABCDEF").text(),
            "naa.60014051234567890123456789abcdef");
  EXPECT_EQ(Wwn::naa5("001405", "123456789").authority(), 5);
  EXPECT_EQ(Wwn::of_serial("x").authority(), 6);
}

TEST(WwnTest, OfASerialIsTheSameForTheSameTextAndNoOther) {
  EXPECT_EQ(Wwn::of_serial("disk 1"), Wwn::of_serial("disk 1"));
  EXPECT_NE(Wwn::of_serial("disk 1"), Wwn::of_serial("disk 2"));
  EXPECT_EQ(generate_serial("disk 1").size(), 9u);
  EXPECT_NE(generate_serial("disk 1"), generate_serial("disk 2"));
  EXPECT_EQ(Wwn::naa5("001405", generate_serial("a")).text().size(), 20u);
}

TEST(WwnTest, CanBeReadFromItsText) {
  for (const Wwn& wwn : {Wwn::naa5("001405", "123456789"), Wwn::of_serial("x")})
    EXPECT_EQ(Wwn::parse(wwn.text()), wwn);
}

TEST(WwnTest, WhatIsNoneIsRefused) {
  const auto error_of = [](auto make) {
    try {
      make();
    } catch (const Error& error) {
      return error.code().value();
    }
    return 0;
  };
  EXPECT_EQ(error_of([] { return Wwn::naa5("00140", "123456789"); }), EINVAL);
  EXPECT_EQ(error_of([] { return Wwn::naa5("001405", "1234567"); }), EINVAL);
  EXPECT_EQ(error_of([] { return Wwn::naa5("001405", "12345678g"); }), EINVAL);
  EXPECT_EQ(error_of([] { return Wwn::naa6("001405", "123456789", "0123"); }), EINVAL);
  for (const char* text :
       {"", "naa.", "naa.1001405123456789", "eui.5001405123456789", "naa.500140512345678"}) {
    EXPECT_EQ(error_of([&] { return Wwn::parse(text); }), EINVAL) << text;
  }
}

}  // namespace
}  // namespace tcmufs
