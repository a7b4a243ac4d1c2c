#include "lio/disk_queue.h"

#include <gtest/gtest.h>

#include <boost/filesystem.hpp>

#include "support/temporary_directory.h"
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

}  // namespace
}  // namespace tcmufs::test
