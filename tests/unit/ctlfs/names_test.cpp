#include "ctlfs/names.h"

#include <gtest/gtest.h>

namespace tcmufs::ctlfs {

TEST(Names, OnlyOursAreReserved) {
  for (const char* name : {".ctl", ".tcmufs", "status"}) EXPECT_TRUE(reserved_name(name)) << name;
  for (const char* name : {"ctl", ".ctl2", "status.json", "db0", "Status"})
    EXPECT_FALSE(reserved_name(name)) << name;
}

TEST(Names, TemporaryOnesBeginWithADotOrHaveATemporaryEnding) {
  for (const char* name : {".db0.aB3x", "db0~", "db0.part", "db0.tmp", ".db0.swp", "db0.swp"}) {
    EXPECT_TRUE(temporary_name(name)) << name;
  }
  for (const char* name : {"db0", "part", "tmp", "a.part1", "a~b", "x.tmp.raw"}) {
    EXPECT_FALSE(temporary_name(name)) << name;
  }
}

TEST(Names, JoinWithOneSlash) {
  EXPECT_EQ(joined("", "a"), "a");
  EXPECT_EQ(joined("d/e", "a"), "d/e/a");
  EXPECT_EQ(joined(".ctl/vol", ""), ".ctl/vol");
}

TEST(Names, WithinIsByWholeComponents) {
  EXPECT_TRUE(within("web", "web"));
  EXPECT_TRUE(within("web/a/b", "web"));
  EXPECT_TRUE(within("web", ""));
  EXPECT_FALSE(within("web2", "web"));
  EXPECT_FALSE(within("web", "web/a"));
}

}  // namespace tcmufs::ctlfs
