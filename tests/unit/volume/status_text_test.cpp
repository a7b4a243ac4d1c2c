#include <gmock/gmock.h>

#include <algorithm>

#include "volume/facts.h"

namespace tcmufs::volume {
namespace {

using testing::HasSubstr;
using testing::Not;

Facts forged() {
  Facts facts;
  facts.path = "web/a\ndb0  ready\nstate: ready";
  facts.link = "/dev/tcmufs/" + facts.path;
  facts.last_error = "one\nstate: ready";
  return facts;
}

TEST(StatusText, ANameIsOneRowOfTheTableWhateverIsInIt) {
  const std::string table = status_table({forged()}, "");
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2);
  EXPECT_THAT(table, HasSubstr("web/a\\012db0  ready"));
}

TEST(StatusText, WhatAUserCanChooseMakesNoLinesOfItsOwn) {
  EXPECT_THAT(volume_file(forged(), "status"), Not(HasSubstr("\nstate: ready")));
  EXPECT_THAT(volume_file(forged(), "status"), HasSubstr("\nstate: pending\n"));
}

}  // namespace
}  // namespace tcmufs::volume
