#include "mountctl/table.h"

#include <gtest/gtest.h>

namespace tcmufs::mountctl {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestCellAndTheLastIsNotPadded) {
  EXPECT_EQ(
      table_text(
          {{"NAME", "STATE", "LINK"}, {"db0", "ready", "/dev/tcmufs/db0"}, {"web/disk0", "ready", "x"}}),
      "NAME       STATE  LINK\n"
      "db0        ready  /dev/tcmufs/db0\n"
      "web/disk0  ready  x\n");
}

TEST(Table, EmptyCellIsADashSoThatColumnsCanBeCounted) {
  EXPECT_EQ(table_text({{"a", "", ""}}), "a  -  -\n");
}

TEST(Table, ControlBytesInANameCannotMakeLines) {
  EXPECT_EQ(table_text({{"a\nb", "x"}}), "a\\x0ab  x\n");
}

TEST(Table, WidthCountsCharactersNotBytes) {
  EXPECT_EQ(table_text({{"\u00e4\u00f6", "x"}, {"abc", "y"}}), "\u00e4\u00f6   x\nabc  y\n");
}

TEST(Table, NoRowsAreNoText) {
  EXPECT_EQ(table_text({}), "");
}

}  // namespace
}  // namespace tcmufs::mountctl
