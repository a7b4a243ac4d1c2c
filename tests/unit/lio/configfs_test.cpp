#include "lio/configfs.h"

#include <gmock/gmock.h>

#include "unit/lio/fake_places.h"

namespace tcmufs::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Configfs, WorksBelowItsRoot) {
  const FakePlaces places;
  lio::Configfs tree({}, places.root());
  EXPECT_FALSE(tree.exists("core"));
  tree.make_directory("core");
  tree.make_directory("core/b");
  tree.make_directory("core/a");
  EXPECT_TRUE(tree.exists("core"));
  EXPECT_THAT(tree.list("core"), ElementsAre("a", "b"));
  FakePlaces::write(places.root() + "/core/enable", "0\n");
  tree.write("core/enable", "1");
  EXPECT_EQ(tree.read("core/enable"), "1\n") << "written over, not cut off";
  tree.remove_directory("core/a");
  EXPECT_FALSE(tree.exists("core/a"));
}

TEST(Configfs, LinksByTheAbsolutePathOfTheItem) {
  const FakePlaces places;
  lio::Configfs tree({}, places.root());
  tree.make_directory("item");
  tree.link("item", "link");
  EXPECT_EQ(std::filesystem::read_symlink(places.root() + "/link"), places.root() + "/item");
  EXPECT_EQ(tree.link_target("link"), "item");
  tree.unlink("link");
  EXPECT_FALSE(tree.exists("link"));
}

TEST(Configfs, FollowsTheRelativeLinksThatTheKernelShows) {
  const FakePlaces places;
  lio::Configfs tree({}, places.root());
  FakePlaces::directory(places.root() + "/core/user_1/x");
  FakePlaces::directory(places.root() + "/loopback/lun_0");
  const std::string shown =
      "../../../" + std::filesystem::path(places.root()).filename().string() + "/core/user_1/x";
  std::filesystem::create_symlink(shown, places.root() + "/loopback/lun_0/x");
  EXPECT_EQ(tree.link_target("loopback/lun_0/x"), "core/user_1/x");
}

TEST(Configfs, OnlyLinksHaveATarget) {
  const FakePlaces places;
  lio::Configfs tree({}, places.root());
  tree.make_directory("item");
  EXPECT_EQ(tree.link_target("item"), std::nullopt);
  EXPECT_EQ(tree.link_target("nothing"), std::nullopt);
  EXPECT_EQ(tree.link_target("nothing/at/all"), std::nullopt);
}

TEST(Configfs, FailuresNameThePathAndTheErrno) {
  const FakePlaces places;
  lio::Configfs tree({}, places.root());
  const auto expect = [&](int error, const auto& operation) {
    try {
      operation();
      ADD_FAILURE() << "no failure";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.error(), error);
      EXPECT_THAT(failure.what(), HasSubstr("'" + places.root() + "/no"));
    }
  };
  expect(ENOENT, [&] { tree.list("no"); });
  expect(ENOENT, [&] { tree.read("no"); });
  expect(ENOENT, [&] { tree.write("no", "1"); });
  expect(ENOENT, [&] { tree.make_directory("no/x"); });
  expect(ENOENT, [&] { tree.remove_directory("no"); });
  expect(ENOENT, [&] { tree.unlink("no"); });
  expect(ENOENT, [&] { tree.link("item", "no/x"); });
}

TEST(Configfs, HandsOnWhatCouldNotBeCleanedUp) {
  std::vector<std::string> said;
  lio::Configfs tree([&](const std::string& sentence) { said.push_back(sentence); }, "/nowhere");
  tree.cleanup_failed("left");
  EXPECT_THAT(said, ElementsAre("left"));
  EXPECT_NO_THROW(lio::Configfs().cleanup_failed("to nobody"));
}

}  // namespace
}  // namespace tcmufs::test
