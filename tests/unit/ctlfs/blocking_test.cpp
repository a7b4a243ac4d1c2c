// A backend that blocks holds up nobody but those who want the same name.

#include <chrono>
#include <thread>

#include "tree_fixture.h"

namespace tcmufs::ctlfs {

using ::testing::ElementsAre;

class Blocking : public TreeTest {
 protected:
  /// Runs `operation` on another thread and waits until it is inside the blocked `call`.
  template <typename Operation>
  void start(const std::string& call, Operation operation) {
    tree();
    backend.block(call);
    running = std::thread(operation);
    ASSERT_TRUE(backend.wait_for_blocked());
  }
  void finish() {
    backend.release_calls();
    if (running.joinable()) running.join();
  }
  void TearDown() override { finish(); }

  std::thread running;
};

TEST_F(Blocking, StatusAnswersWhileAVolumeComesUp) {
  const u64 handle = create("a");
  write(handle, 0, "x");
  start("attach a", [&] { tree().flush(handle, kProcess); });
  EXPECT_EQ(text_of("status"), "table of ''\n");
  EXPECT_EQ(text_of(".ctl/vol/a/state"), "state of a\n");
  EXPECT_THAT(names_in(""), ElementsAre(".", "..", "status", "a"));
  create("b");
  EXPECT_TRUE(exists("b"));
}

TEST_F(Blocking, StatusAnswersWhileAVolumeGoes) {
  backend.have_volume("a");
  start("remove a", [&] { tree().unlink(kRoot, "a"); });
  EXPECT_EQ(text_of("status"), "table of ''\n");
  EXPECT_TRUE(exists("a"));
  finish();
  EXPECT_FALSE(exists("a"));
}

TEST_F(Blocking, TheSameNameIsMadeOnce) {
  start("create a", [&] { create("a"); });
  EXPECT_FALSE(exists("a"));
  int error = 0;
  std::thread second([&] { error = error_of([&] { create("a", O_WRONLY | O_CREAT | O_EXCL); }); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // time to go wrong
  finish();
  second.join();
  EXPECT_EQ(error, EEXIST);
  EXPECT_THAT(backend.calls("create"), ElementsAre("create a"));
}

TEST_F(Blocking, ADirectoryIsNotRemovedWhileAVolumeIsMadeInIt) {
  const u64 web = make_directory("web");
  start("create web/a", [&] { tree().create(web, "a", O_WRONLY, {0644}); });
  int error = 0;
  std::thread second([&] { error = error_of([&] { tree().remove_directory(kRoot, "web"); }); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // time to go wrong
  finish();
  second.join();
  EXPECT_EQ(error, ENOTEMPTY);
  EXPECT_TRUE(exists("web/a"));
}

TEST_F(Blocking, AVolumeMadeWhileItsDirectoryMovesIsMadeInTheNewPlace) {
  const u64 web = make_directory("web");
  start("rename web", [&] { tree().rename(kRoot, "web", kRoot, "www", 0); });
  std::thread second([&] { tree().create(web, "a", O_WRONLY, {0644}); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // time to go wrong
  finish();
  second.join();
  EXPECT_TRUE(exists("www/a"));
  EXPECT_THAT(backend.calls("create"), ElementsAre("create www/a"));
}

}  // namespace tcmufs::ctlfs
