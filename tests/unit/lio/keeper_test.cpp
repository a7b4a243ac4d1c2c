#include "lio/keeper.h"

#include <gtest/gtest.h>

#include "unit/lio/volume_objects.h"

namespace tcmufs::test {
namespace {

TEST(Keeper, IsTheStoreOrTheLibrary) {
  EXPECT_EQ(lio::keeper_of(lio::dev_config_for(store_uuid, volume_uuid), volume_uuid), store_uuid);
  EXPECT_EQ(lio::keeper_of("tcmufs/library/x", "x"), "library");
}

TEST(Keeper, OfWhatOthersHaveMadeThereIsNone) {
  EXPECT_EQ(lio::keeper_of("", "x"), std::nullopt);
  EXPECT_EQ(lio::keeper_of("qcow/a/x", "x"), std::nullopt);
  EXPECT_EQ(lio::keeper_of("tcmufs", "x"), std::nullopt);
  EXPECT_EQ(lio::keeper_of("tcmufs/x", "x"), std::nullopt);
}

// tcmufs-backstores serves images of that name.
TEST(Keeper, OfAnImageThereIsNone) {
  EXPECT_EQ(lio::keeper_of("tcmufs//srv/x", "x"), std::nullopt);
  EXPECT_EQ(lio::keeper_of("tcmufs//x", "x"), std::nullopt);
  EXPECT_EQ(lio::keeper_of("tcmufs/srv/images/x", "x"), std::nullopt);
  EXPECT_EQ(lio::keeper_of("tcmufs/srv/x", "y"), std::nullopt);
}

}  // namespace
}  // namespace tcmufs::test
