#include "lio/disk_event.h"

#include <gtest/gtest.h>

#include <boost/filesystem.hpp>

#include "support/temporary_directory.h"
#include "sys/text_file.h"

namespace tcmufs::test {
namespace {

TEST(DiskEvent, UdevIsToldWhereTheKernelCan) {
  TemporaryDirectory sysfs;
  const std::string directory = sysfs / "block/sda";
  boost::filesystem::create_directories(directory);
  lio::ScsiDisk disk;
  disk.name = "sda";
  lio::announce_change(disk, sysfs.path());
  EXPECT_FALSE(boost::filesystem::exists(directory + "/uevent")) << "nothing is made";
  replace_file(directory + "/uevent", directory + "/new", "");
  lio::announce_change(disk, sysfs.path());
  EXPECT_EQ(read_text(directory + "/uevent"), "change");
}

TEST(DiskEvent, ADiskIsAnnouncedAgainWithItsGenericDeviceWhereThereIsOne) {
  TemporaryDirectory sysfs;
  const std::string block = sysfs / "block/sda";
  const std::string generic = sysfs / "class/scsi_generic/sg4";
  for (const std::string& directory : {block, generic}) {
    boost::filesystem::create_directories(directory);
    replace_file(directory + "/uevent", directory + "/new", "");
  }
  lio::ScsiDisk disk;
  disk.name = "sda";
  lio::announce_again(disk, sysfs.path());
  EXPECT_EQ(read_text(block + "/uevent"), "add");
  EXPECT_EQ(read_text(generic + "/uevent"), "");
  disk.sg = "/dev/sg4";
  lio::announce_again(disk, sysfs.path());
  EXPECT_EQ(read_text(generic + "/uevent"), "add");
}

}  // namespace
}  // namespace tcmufs::test
