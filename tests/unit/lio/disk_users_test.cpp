#include <fcntl.h>
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include "unit/lio/fake_places.h"

namespace tcmufs::test {
namespace {

using lio::Holder;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> holders(const FakePlaces& places, const lio::ScsiDisk& disk) {
  std::vector<std::string> texts;
  for (const Holder& holder : lio::holders_of(disk, places.sysfs(), places.proc())) {
    texts.push_back(holder.kind + " " + holder.detail);
  }
  return texts;
}

std::vector<std::string> holders(const FakePlaces& places) {
  return holders(places, places.disk());
}

void mount(const FakePlaces& places, const std::string& line) {
  FakePlaces::write(places.proc() + "/self/mountinfo",
                    "22 1 254:0 / / rw - ext4 /dev/root rw\n" + line + "\n");
}

/// A disk with nobody on it.
struct IdleDisk : FakePlaces {
  IdleDisk() {
    add_disk(1 << 20);
    write(dev() + "/sdx", "");
    write(dev() + "/sdx1", "");
  }
};

TEST(HoldersOfADisk, AreNoneWhenItIsIdle) {
  const IdleDisk places;
  EXPECT_THAT(holders(places), IsEmpty());
}

TEST(HoldersOfADisk, AreMountsOfIt) {
  const IdleDisk places;
  mount(places, "30 22 8:112 / /srv rw,relatime shared:1 - ext4 /dev/whatever rw");
  EXPECT_THAT(holders(places), ::testing::ElementsAre("mount /srv"));
}

TEST(HoldersOfADisk, AreMountsOfItsPartitions) {
  const IdleDisk places;
  mount(places, "30 22 8:113 / /srv rw,relatime - ext4 /dev/sdx1 rw");
  EXPECT_THAT(holders(places), ::testing::ElementsAre("mount /srv"));
}

TEST(HoldersOfADisk, AreNotMountsOfOtherDisks) {
  const IdleDisk places;
  mount(places, "30 22 8:114 / /srv rw,relatime - ext4 " + places.dev() + "/sdx rw");
  EXPECT_THAT(holders(places), IsEmpty());
}

TEST(HoldersOfADisk, AreMountsOfBtrfsThatShowAnotherNumber) {
  const IdleDisk places;
  mount(places, "30 22 0:45 /sub /srv rw - btrfs " + places.dev() + "/sdx1 rw,subvol=/sub");
  EXPECT_THAT(holders(places), ::testing::ElementsAre("mount /srv"));
}

TEST(HoldersOfADisk, AreMountsByASymbolicLinkToTheNode) {
  const IdleDisk places;
  FakePlaces::directory(places.dev() + "/tcmufs");
  std::filesystem::create_symlink("../sdx", places.dev() + "/tcmufs/db0");
  mount(places, "30 22 0:45 / /srv rw - btrfs " + places.dev() + "/tcmufs/db0 rw");
  EXPECT_THAT(holders(places), ::testing::ElementsAre("mount /srv"));
}

TEST(HoldersOfADisk, AreMountedBtrfsOfSeveralDevicesToo) {
  const IdleDisk places;
  FakePlaces::directory(places.sysfs() + "/fs/btrfs/features");
  FakePlaces::directory(places.sysfs() + "/fs/btrfs/0123-4567/devices/sdx");
  EXPECT_THAT(holders(places), ::testing::ElementsAre("btrfs 0123-4567"));
}

TEST(HoldersOfADisk, MountPointsAreShownAsTheyAreWritten) {
  const IdleDisk places;
  mount(places, "30 22 8:112 / /my\\040disk\\134x rw - ext4 /dev/sdx rw");
  EXPECT_THAT(holders(places), ::testing::ElementsAre("mount /my disk\\x"));
}

TEST(HoldersOfADisk, AreSwaps) {
  const IdleDisk places;
  FakePlaces::write(places.proc() + "/swaps",
                    "Filename\tType\tSize\tUsed\tPriority\n/swapfile file 1 0 -2\n" + places.dev() +
                        "/sdx1   partition\t1044\t0\t-3\n");
  EXPECT_THAT(holders(places), ::testing::ElementsAre("swap " + places.dev() + "/sdx1"));
}

TEST(HoldersOfADisk, AreDevicesStackedOnItOrOnAPartition) {
  const IdleDisk places;
  FakePlaces::directory(places.block() + "/holders/dm-3");
  FakePlaces::write(places.sysfs() + "/block/dm-3/dm/name", "vg0-root\n");
  FakePlaces::directory(places.block() + "/sdx1/holders/md127");
  FakePlaces::directory(places.block() + "/sdx1/holders/bcache0");
  EXPECT_THAT(holders(places), ::testing::ElementsAre("dm vg0-root", "device bcache0", "md md127"));
}

TEST(HoldersOfADisk, AreLoopDevicesOverIt) {
  const IdleDisk places;
  FakePlaces::directory(places.sysfs() + "/block/loop0/loop");
  FakePlaces::write(places.sysfs() + "/block/loop0/loop/backing_file", places.dev() + "/sdx1\n");
  FakePlaces::directory(places.sysfs() + "/block/loop1/loop");
  FakePlaces::write(places.sysfs() + "/block/loop1/loop/backing_file", "/img/sdx\n");
  EXPECT_THAT(holders(places), ::testing::ElementsAre("device loop0"));
}

TEST(HoldersOfADisk, AreProcessesThatHaveTheNodeOpen) {
  const std::string real = real_block_device([](const std::string&) { return true; });
  if (real.empty()) GTEST_SKIP() << "no block device in /dev";
  const IdleDisk places;
  const std::string fds = places.proc() + "/17/fd";
  FakePlaces::write(places.proc() + "/17/comm", "dd\n");
  FakePlaces::directory(fds);
  std::filesystem::create_symlink("/dev/null", fds + "/0");
  EXPECT_THAT(holders(places), IsEmpty());
  std::filesystem::create_symlink(real, fds + "/1");
  std::filesystem::create_symlink(real, fds + "/2");
  lio::ScsiDisk disk = places.disk();
  disk.number = number_of(real);
  EXPECT_THAT(holders(places, disk), ::testing::ElementsAre("process pid 17 (dd)"))
      << "once for all its descriptors";
}

TEST(HoldersOfADisk, DoNotIncludeThisProcess) {
  const std::string real = real_block_device([](const std::string&) { return true; });
  if (real.empty()) GTEST_SKIP() << "no block device in /dev";
  const IdleDisk places;
  const std::string fds = places.proc() + "/" + std::to_string(::getpid()) + "/fd";
  FakePlaces::directory(fds);
  std::filesystem::create_symlink(real, fds + "/1");
  lio::ScsiDisk disk = places.disk();
  disk.number = number_of(real);
  EXPECT_THAT(holders(places, disk), IsEmpty());
}

TEST(HoldersOfADisk, AreFoundInTheRealProcToo) {
  const std::string real = real_block_device([](const std::string& node) {
    return static_cast<bool>(Fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC)));
  });
  if (real.empty()) GTEST_SKIP() << "no block device that can be opened";
  const FakePlaces places;
  lio::ScsiDisk disk = places.disk();
  disk.number = number_of(real);
  std::string ready = places.root() + "/ready";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const int fd = ::open(real.c_str(), O_RDONLY | O_CLOEXEC);
    ::close(::open(ready.c_str(), O_CREAT | O_CLOEXEC, 0600));
    for (;;) static_cast<void>(::pause(), fd);
  }
  const bool started =
      poll_until(Deadline::after(seconds(20)), [&] { return std::filesystem::exists(ready); });
  const auto found = lio::holders_of(disk, places.sysfs());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ASSERT_TRUE(started);
  const std::string pid = "pid " + std::to_string(child) + " ";
  EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const Holder& holder) {
    return holder.kind == "process" && holder.detail.starts_with(pid);
  }));
}

TEST(Stacking, IsAnotherTextWithEveryDiskStackedDeviceAndLoopDeviceThatComesOrGoes) {
  const IdleDisk places;
  auto after = [&places, before = lio::stacking(places.sysfs())](auto&& change) mutable {
    change();
    const std::string was = std::exchange(before, lio::stacking(places.sysfs()));
    return was != before;
  };
  const std::string block = places.sysfs() + "/block";
  EXPECT_FALSE(after([] {}));
  EXPECT_TRUE(after([&] { FakePlaces::write(block + "/sdy/size", "8"); }));
  EXPECT_TRUE(after([&] { FakePlaces::write(block + "/dm-0/slaves/sda1/size", "8"); }));
  EXPECT_TRUE(after([&] { FakePlaces::write(block + "/dm-0/slaves/sdx/size", "8"); }));
  EXPECT_TRUE(after([&] { std::filesystem::remove_all(block + "/dm-0/slaves/sdx"); }));
  EXPECT_TRUE(after([&] { FakePlaces::write(block + "/loop0/loop/backing_file", "/dev/sdx\n"); }));
  EXPECT_TRUE(after([&] { std::filesystem::remove_all(block + "/loop0/loop"); }));
  EXPECT_FALSE(after([&] { FakePlaces::write(block + "/sdx/stat", "1 2 3"); }));
  const std::string btrfs = places.sysfs() + "/fs/btrfs/8f1d";
  EXPECT_TRUE(after([&] { FakePlaces::write(btrfs + "/devices/sdx/size", "8"); }));
  EXPECT_TRUE(after([&] { std::filesystem::remove_all(btrfs); }));
}

TEST(HoldersOfADisk, AreDescribedInASentence) {
  EXPECT_EQ(lio::describe({{"mount", "/srv"}, {"process", "pid 17 (dd)"}}),
            "mounted on '/srv'; open in process 17 (dd)");
  EXPECT_EQ(lio::describe({{"dm", "vg0-root"}, {"md", "md127"}, {"swap", "/dev/sdx"}, {"device", "bcache0"}}),
            "used by the device-mapper device 'vg0-root'; used by the array 'md127'; used as swap; used by "
            "'bcache0'");
  EXPECT_EQ(lio::describe({}), "");
}

Failure failure_of_claim(const FakePlaces& places, Deadline::Clock::duration grace) {
  try {
    lio::claim_disk(places.disk(), grace, places.sysfs(), places.proc());
  } catch (const Failure& failure) {
    return failure;
  }
  return {0, "no failure"};
}

TEST(ClaimDisk, OpensAnIdleDisk) {
  const IdleDisk places;
  EXPECT_TRUE(lio::claim_disk(places.disk(), seconds(0), places.sysfs(), places.proc()));
}

TEST(ClaimDisk, RefusesAMountedDiskAtOnceAndSaysWhere) {
  const IdleDisk places;
  mount(places, "30 22 8:112 / /srv rw - ext4 /dev/sdx rw");
  const auto start = Deadline::Clock::now();
  const Failure failure = failure_of_claim(places, std::chrono::hours(1));
  EXPECT_LT(Deadline::Clock::now() - start, std::chrono::minutes(1));
  EXPECT_EQ(failure.error(), EBUSY);
  EXPECT_THAT(failure.what(), HasSubstr("is in use: mounted on '/srv'"));
}

/// An idle disk, but for process 17, which has it open.
struct WatchedDisk : IdleDisk {
  explicit WatchedDisk(const std::string& real) : number(number_of(real)) {
    write(proc() + "/17/comm", "blkid\n");
    directory(proc() + "/17/fd");
    std::filesystem::create_symlink(real, proc() + "/17/fd/3");
  }
  lio::ScsiDisk watched() const {
    lio::ScsiDisk result = disk();
    result.number = number;
    return result;
  }
  dev_t number;
};

TEST(ClaimDisk, WaitsForAProcessThatOnlyLooks) {
  const std::string real = real_block_device([](const std::string&) { return true; });
  if (real.empty()) GTEST_SKIP() << "no block device in /dev";
  const WatchedDisk places(real);
  std::thread process([&] {
    std::this_thread::sleep_for(milliseconds(50));
    std::filesystem::remove_all(places.proc() + "/17");
  });
  EXPECT_TRUE(lio::claim_disk(places.watched(), seconds(20), places.sysfs(), places.proc()));
  process.join();
}

TEST(ClaimDisk, RefusesWhenAProcessStaysAndNamesIt) {
  const std::string real = real_block_device([](const std::string&) { return true; });
  if (real.empty()) GTEST_SKIP() << "no block device in /dev";
  const WatchedDisk places(real);
  try {
    lio::claim_disk(places.watched(), milliseconds(20), places.sysfs(), places.proc());
    FAIL() << "no failure";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBUSY);
    EXPECT_THAT(failure.what(), HasSubstr("open in process 17 (blkid)"));
  }
}

TEST(ClaimDisk, RefusesOneThatTheKernelHasGivenToAnother) {
  const auto taken = [](const std::string& node) {
    return !Fd(::open(node.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC)) && errno == EBUSY;
  };
  const std::string real = real_block_device(taken);
  if (real.empty()) GTEST_SKIP() << "no block device in use";
  const FakePlaces places;
  places.add_disk(1 << 20);
  places.add_node(real);
  const Failure failure = failure_of_claim(places, milliseconds(20));
  EXPECT_EQ(failure.error(), EBUSY);
  EXPECT_THAT(failure.what(), HasSubstr("is in use"));
}

TEST(ClaimDisk, FindsNothingToClaimOfADiskThatIsGone) {
  const FakePlaces places;
  EXPECT_TRUE(lio::is_gone(places.disk(), places.sysfs()));
  EXPECT_FALSE(lio::claim_disk(places.disk(), seconds(20), places.sysfs(), places.proc()));
}

TEST(ClaimDisk, LeavesTheNextDiskAtTheSameAddressAlone) {
  const IdleDisk places;
  mount(places, "30 22 8:112 / /srv rw - ext4 /dev/sdx rw");
  FakePlaces::write(places.device() + "/wwid", "naa.60014052\n");
  EXPECT_TRUE(lio::is_gone(places.disk(), places.sysfs()));
  EXPECT_FALSE(lio::claim_disk(places.disk(), seconds(20), places.sysfs(), places.proc()));
}

TEST(ClaimDisk, RefusesADiskThatIsThereButHasNoNode) {
  const FakePlaces places;
  places.add_disk(1 << 20);
  EXPECT_FALSE(lio::is_gone(places.disk(), places.sysfs()));
  EXPECT_EQ(failure_of_claim(places, seconds(20)).error(), ENOENT);
}

TEST(FlushDisk, SaysWhatCouldNotBeFlushed) {
  const IdleDisk places;
  const Fd file = open_file(places.dev() + "/sdx", O_RDONLY);
  try {
    lio::flush_disk(file, "/dev/sdx");
    FAIL() << "a file has no BLKFLSBUF";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), ENOTTY);
    EXPECT_THAT(failure.what(), HasSubstr("'/dev/sdx'"));
  }
}

}  // namespace
}  // namespace tcmufs::test
