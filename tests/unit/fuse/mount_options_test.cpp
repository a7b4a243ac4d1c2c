#include "fuse/mount_options.h"

#include <gmock/gmock.h>
#include <sys/mount.h>

#include <cerrno>

#include "sys/error.h"

namespace tcmufs::fuse {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(MountOptions, AreWithoutSetuidAndDevicesThoughTheHelperOfMountAsks) {
  for (const auto* given : {"", "defaults,dev,suid"}) {
    EXPECT_EQ(sorted_options({given}, "s").flags, static_cast<unsigned long>(MS_NOSUID | MS_NODEV)) << given;
  }
}

TEST(MountOptions, WordsOfFstabAreForOthers) {
  const auto sorted = sorted_options(
      {"noauto,nofail,_netdev,user,x-systemd.requires=a.service,X-mount.mkdir,comment=x,relatime", "dev",
       "suid"},
      "s");
  EXPECT_EQ(sorted.flags, static_cast<unsigned long>(MS_NOSUID | MS_NODEV));
  EXPECT_EQ(sorted.kernel, "");
  EXPECT_EQ(sorted.arguments, sorted_options({}, "s").arguments);
}

TEST(MountOptions, TheLastOfOppositesCounts) {
  EXPECT_TRUE((sorted_options({"rw", "ro"}, "s").flags & MS_RDONLY) != 0);
  EXPECT_FALSE((sorted_options({"ro,rw"}, "s").flags & MS_RDONLY) != 0);
}

TEST(MountOptions, TheKernelGetsWhatIsItsOwn) {
  EXPECT_EQ(sorted_options({"allow_other,noatime", "max_read=4096"}, "s").kernel,
            ",allow_other,max_read=4096");
}

TEST(MountOptions, LibfuseSeesAllAndTheNameOfTheStore) {
  const auto arguments = sorted_options({"allow_other", "whatever=1"}, "/a,b\\c").arguments;
  EXPECT_THAT(arguments, Contains("whatever=1"));
  EXPECT_THAT(arguments, Contains("fsname=/a\\,b\\\\c"));
  EXPECT_EQ(arguments.back(), "subtype=tcmufs");
}

TEST(MountOptions, AutoUnmountIsRefusedInWords) {
  try {
    sorted_options({"auto_unmount"}, "s");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EINVAL);
    EXPECT_THAT(failure.what(), HasSubstr("auto_unmount"));
  }
}

}  // namespace tcmufs::fuse
