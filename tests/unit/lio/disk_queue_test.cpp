#include "lio/disk_queue.h"

#include <gtest/gtest.h>

#include <boost/filesystem.hpp>

#include "support/temporary_directory.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::test {
namespace {

TEST(DiskQueue, TheSchedulerIsTurnedOffWhereThereIsOne) {
  TemporaryDirectory sysfs;
  const std::string queue = sysfs / "block/sda/queue";
  boost::filesystem::create_directories(queue);
  lio::ScsiDisk disk;
  disk.name = "sda";
  lio::bypass_scheduler(disk, sysfs.path());
  EXPECT_FALSE(boost::filesystem::exists(queue + "/scheduler")) << "nothing is made";
  replace_file(queue + "/scheduler", queue + "/new", "");
  lio::bypass_scheduler(disk, sysfs.path());
  EXPECT_EQ(read_text(queue + "/scheduler"), "none");
}

TEST(DiskQueue, IsTunedWhereItIsDifferent) {
  TemporaryDirectory sysfs;
  const std::string depth = sysfs / "block/sda/device/queue_depth";
  const std::string ahead = sysfs / "block/sda/queue/read_ahead_kb";
  boost::filesystem::create_directories(sysfs / "block/sda/device");
  boost::filesystem::create_directories(sysfs / "block/sda/queue");
  replace_file(depth, sysfs / "new", "1024\n");
  replace_file(ahead, sysfs / "new", "128\n");
  lio::ScsiDisk disk;
  disk.name = "sda";
  lio::tune_queue(disk, 32, 128, sysfs.path());
  EXPECT_EQ(read_line(depth).substr(0, 2), "32");
  EXPECT_EQ(read_text(ahead), "128\n") << "was written, although it was so";
  boost::filesystem::remove(depth);
  EXPECT_THROW(lio::tune_queue(disk, 32, 128, sysfs.path()), Failure);
}

}  // namespace
}  // namespace tcmufs::test
