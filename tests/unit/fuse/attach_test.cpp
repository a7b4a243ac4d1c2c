// That close() means ready, through the kernel.

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <future>

#include "mounted_fixture.h"

namespace tcmufs::fuse {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Closing : public Mounted {
 protected:
  void SetUp() override {
    Mounted::SetUp();
    if (!IsSkipped()) start();
  }
  std::string in_mount(const std::string& name) const { return directories->mount_point() + "/" + name; }
};

TEST_F(Closing, StatusAnswersWhileVolumesComeUp) {
  std::vector<std::thread> users;
  for (const std::string name : {"a", "b", "c", "d"}) {
    backend.block("attach " + name);
    users.emplace_back([this, name] {
      const int file = open(in_mount(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      EXPECT_EQ(ftruncate(file, 4096), 0);
      EXPECT_EQ(close(file), 0);
      EXPECT_TRUE(backend.volume(name)->attached());
    });
    EXPECT_TRUE(backend.wait_for("attach " + name + " 4096"));
  }
  expect(0, "cat status .ctl/vol/a/state; ls; truncate -s 4096 e", "table of ''\nstate of a\n");
  backend.release_calls();
  for (auto& user : users) user.join();
}

TEST_F(Closing, StatusAnswersWhileAVolumeGoes) {
  expect(0, "truncate -s 4096 a");
  backend.block("remove a");
  std::thread user([this] { EXPECT_EQ(unlink(in_mount("a").c_str()), 0); });
  EXPECT_TRUE(backend.wait_for_blocked());
  auto answer = std::async(std::launch::async, [this] { return run("cat status .ctl/status").output; });
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  backend.release_calls();
  user.join();
  EXPECT_EQ(answer.get(), "table of ''\nroot status\n");
}

TEST_F(Closing, AnEarlierWritersReleaseIsNeverInTheWay) {
  for (int i = 0; i < 200; ++i) {
    const std::string name = "v" + std::to_string(i);
    const int first = open(in_mount(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(first);  // its RELEASE is sent, but nobody waits for it
    const int second = open(in_mount(name).c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(ftruncate(second, 4096), 0);
    close(second);
    ASSERT_TRUE(backend.volume(name)->attached()) << i;
    ASSERT_THAT(backend.calls("attach " + name), Contains("attach " + name + " 4096"));
  }
}

TEST_F(Closing, AnotherThreadOfTheSameProcessCloses) {
  const int file = open(in_mount("a").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(ftruncate(file, 4096), 0);
  std::thread([&] { close(file); }).join();
  EXPECT_TRUE(backend.volume("a")->attached());
  EXPECT_THAT(disks(), ElementsAre("attach a 4096"));
}

TEST_F(Closing, ByAChildThatOutlivesTheOpenerTheDiskComesInTheBackground) {
  expect(0, "sh -c '(while [ -d /proc/$$ ]; do sleep 0.01; done; /bin/echo x) &' > a");
  EXPECT_TRUE(backend.wait_for("attach_later a 2")) << ::testing::PrintToString(backend.calls());
  EXPECT_THAT(backend.calls("attach a 2"), IsEmpty());
}

TEST_F(Closing, OfAKilledProcessCounts) {
  expect(0, "sh -c '/bin/echo x; kill -9 $$' > a; true");
  EXPECT_TRUE(backend.wait_for("attach a 2") || backend.wait_for("attach_later a 2"));
}

TEST_F(Closing, TwoWritersTheLastOneMakesTheDisk) {
  const int first = open(in_mount("a").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const int second = open(in_mount("a").c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(write(first, "x", 1), 1);
  close(first);
  EXPECT_THAT(disks(), IsEmpty());
  ASSERT_EQ(pwrite(second, "y", 1, 1), 1);
  close(second);
  EXPECT_THAT(disks(), ElementsAre("attach a 2"));
}

TEST_F(Closing, TruncateByPathIsReadyWhenItReturns) {
  expect(0, "touch a");
  ASSERT_EQ(truncate(in_mount("a").c_str(), 4096), 0);
  EXPECT_THAT(disks(), ElementsAre("attach a 4096"));
}

TEST_F(Closing, WhatReachedTheImageIsReadFromADisk) {
  expect(0, "truncate -s 4096 a && cat a > /dev/null");
  const int file = open(in_mount("a").c_str(), O_RDONLY | O_CLOEXEC);
  backend.volume("a")->resize(8, 0);  // behind the kernel's back
  std::string text(16, 'x');
  EXPECT_EQ(pread(file, text.data(), text.size(), 0), 8);
  EXPECT_EQ(lseek(file, 0, SEEK_END), 8);
  close(file);
}

}  // namespace tcmufs::fuse
