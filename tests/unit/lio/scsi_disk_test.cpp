#include "lio/scsi_disk.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "unit/lio/fake_places.h"

namespace tcmufs::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr u64 size_bytes = 1 << 20;

// What wait_for_disk says when it gives up.
Failure failure_of(const FakePlaces& places, milliseconds time = milliseconds(1)) {
  try {
    lio::wait_for_disk("3:0:1:0", size_bytes, Deadline::after(time), places.sysfs(), places.dev());
  } catch (const Failure& failure) {
    return failure;
  }
  return {0, "no failure"};
}

bool reads_directly(const std::string& node) {
  const Fd file(::open(node.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  alignas(4096) char block[4096];
  return file && ::pread(file.number(), block, sizeof block, 0) > 0;
}

std::string text_of(dev_t number) {
  return std::to_string(major(number)) + ":" + std::to_string(minor(number));
}

TEST(WaitForDisk, SaysThatTheKernelFoundNoDevice) {
  const FakePlaces places;
  const Failure failure = failure_of(places);
  EXPECT_EQ(failure.error(), ETIMEDOUT);
  EXPECT_THAT(failure.what(), HasSubstr("3:0:1:0: the kernel found no SCSI device"));
}

TEST(WaitForDisk, SaysThatTheDiskDriverIsMissing) {
  const FakePlaces places;
  FakePlaces::directory(places.device());
  EXPECT_THAT(failure_of(places).what(), HasSubstr("sd_mod"));
}

TEST(WaitForDisk, SaysWhichSizeItFound) {
  const FakePlaces places;
  places.add_disk(512);
  const Failure failure = failure_of(places);
  EXPECT_EQ(failure.error(), ETIMEDOUT);
  EXPECT_THAT(failure.what(), HasSubstr("'sdx' has 512 bytes, not 1048576"));
}

TEST(WaitForDisk, SaysThatTheNodeIsMissing) {
  const FakePlaces places;
  places.add_disk(size_bytes);
  EXPECT_THAT(failure_of(places).what(), HasSubstr("/sdx' does not exist"));
}

TEST(WaitForDisk, DoesNotTakeAFileOrAnotherDevicesNodeForTheDisk) {
  const FakePlaces places;
  places.add_disk(size_bytes);
  FakePlaces::write(places.dev() + "/sdx", "a file");
  EXPECT_THAT(failure_of(places).what(), HasSubstr("is not the block device 8:112"));
  std::filesystem::remove(places.dev() + "/sdx");
  places.add_node("/dev/null");
  EXPECT_THAT(failure_of(places).what(), HasSubstr("is not the block device 8:112"));
}

TEST(WaitForDisk, DoesNotTakeABlockDeviceOfAnotherNumberForTheDisk) {
  const std::string real =
      real_block_device([](const std::string& node) { return number_of(node) != makedev(8, 112); });
  if (real.empty()) GTEST_SKIP() << "no block device in /dev";
  const FakePlaces places;
  places.add_disk(size_bytes);
  places.add_node(real);
  EXPECT_THAT(failure_of(places).what(), HasSubstr("is not the block device 8:112"));
}

TEST(WaitForDisk, ReturnsTheDiskThatAnswersARead) {
  const std::string real = real_block_device(reads_directly);
  if (real.empty()) GTEST_SKIP() << "no block device that can be read";
  const FakePlaces places;
  places.add_disk(size_bytes, text_of(number_of(real)));
  places.add_node(real);
  const lio::ScsiDisk disk =
      lio::wait_for_disk("3:0:1:0", size_bytes, Deadline::after(seconds(20)), places.sysfs(), places.dev());
  EXPECT_EQ(disk.address, "3:0:1:0");
  EXPECT_EQ(disk.name, "sdx");
  EXPECT_EQ(disk.node, places.dev() + "/sdx");
  EXPECT_EQ(disk.sg, places.dev() + "/sg4");
  EXPECT_EQ(disk.number, number_of(real));
}

TEST(WaitForDisk, WaitsForTheDiskToComeUp) {
  const std::string real = real_block_device(reads_directly);
  if (real.empty()) GTEST_SKIP() << "no block device that can be read";
  const FakePlaces places;
  places.add_node(real);
  std::thread kernel([&] {
    std::this_thread::sleep_for(milliseconds(50));
    places.add_disk(size_bytes, text_of(number_of(real)));
  });
  EXPECT_NO_THROW(
      lio::wait_for_disk("3:0:1:0", size_bytes, Deadline::after(seconds(20)), places.sysfs(), places.dev()));
  kernel.join();
}

TEST(WaitForDisk, ThatCannotBeReadIsNoDisk) {
  const std::string real = real_block_device([](const std::string& node) { return !reads_directly(node); });
  if (real.empty()) GTEST_SKIP() << "every block device can be read";
  const FakePlaces places;
  places.add_disk(size_bytes, text_of(number_of(real)));
  places.add_node(real);
  EXPECT_NE(failure_of(places).error(), 0);
}

TEST(WaitForDisk, LeavesScanningForOneThatTheKernelMissedToWhoeverLinksItAnew) {
  const FakePlaces places;
  places.add_host();
  EXPECT_THAT(failure_of(places, milliseconds(900)).what(), HasSubstr("found no SCSI device there"));
  EXPECT_EQ(FakePlaces::text(places.scan()), "");
}

TEST(WaitForDisk, AsksForTheSizeAgainWhenItIsAnother) {
  const FakePlaces places;
  places.add_disk(512);
  failure_of(places, milliseconds(900));
  EXPECT_EQ(FakePlaces::text(places.device() + "/rescan"), "1");
}

TEST(WaitForDisk, RefusesWhatIsNoAddress) {
  const FakePlaces places;
  for (const char* address : {"", "3:0:1", "sda"}) {
    try {
      lio::wait_for_disk(address, size_bytes, Deadline::after(milliseconds(1)), places.sysfs(), places.dev());
      FAIL() << address;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.error(), EINVAL);
    }
  }
}

TEST(RescanDisk, ReturnsWhenTheDiskHasItsNewSize) {
  const FakePlaces places;
  places.add_disk(size_bytes);
  std::thread kernel([&] {
    while (FakePlaces::text(places.device() + "/rescan").empty())
      std::this_thread::sleep_for(milliseconds(1));
    FakePlaces::write(places.block() + "/size", std::to_string(2 * size_bytes / 512) + "\n");
  });
  lio::rescan_disk(places.disk(), 2 * size_bytes, Deadline::after(seconds(20)), places.sysfs());
  kernel.join();
  EXPECT_EQ(FakePlaces::text(places.device() + "/rescan"), "1");
}

TEST(RescanDisk, ThatKeepsItsOldSizeIsAFailure) {
  const FakePlaces places;
  places.add_disk(size_bytes);
  try {
    lio::rescan_disk(places.disk(), 2 * size_bytes, Deadline::after(milliseconds(1)), places.sysfs());
    FAIL() << "no failure";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), ETIMEDOUT);
    EXPECT_THAT(failure.what(), HasSubstr("it has 1048576 bytes, not 2097152"));
  }
}

TEST(FindDisk, GoesByTheWwnAndAsksNoDisk) {
  const FakePlaces places;
  places.add_disk(4096);
  FakePlaces::write(places.device() + "/wwid", "naa.60014051\n");
  FakePlaces::write(places.sysfs() + "/class/scsi_device/2:0:1:0/device/wwid", "naa.60014052\n");
  const auto disk = lio::find_disk("naa.60014051", places.sysfs(), places.dev());
  ASSERT_TRUE(disk);
  EXPECT_EQ(disk->address, "3:0:1:0");
  EXPECT_EQ(disk->name, "sdx");
  EXPECT_EQ(disk->node, places.dev() + "/sdx");
  EXPECT_EQ(disk->number, makedev(8, 112));
  EXPECT_FALSE(lio::find_disk("naa.60014052", places.sysfs(), places.dev())) << "it has no block device";
  EXPECT_FALSE(lio::find_disk("naa.6001405", places.sysfs(), places.dev()));
}

}  // namespace
}  // namespace tcmufs::test
