// What ordinary programs do with the mount: exit status, contents, and when the disk comes.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "mounted_fixture.h"
#include "sys/fd.h"

namespace tcmufs::fuse {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Programs : public Mounted {
 protected:
  void SetUp() override {
    Mounted::SetUp();
    if (!IsSkipped()) start();
  }
};

TEST_F(Programs, TouchMakesAPendingVolume) {
  expect(0, "touch a && stat -c '%s %h %B' a", "0 1");
  EXPECT_THAT(disks(), IsEmpty());
  EXPECT_TRUE(backend.volume("a"));
}

TEST_F(Programs, Truncate) {
  expect(0, "truncate -s 1G b && stat -c %s b", "1073741824");
  EXPECT_THAT(disks(), ElementsAre("attach b 1073741824"));
  expect(0, "truncate -s +1G b && stat -c %s b", "2147483648");
}

TEST_F(Programs, Fallocate) {
  expect(0, "fallocate -l 64K c");
  EXPECT_THAT(disks(), ElementsAre("attach c 65536"));
}

TEST_F(Programs, Cp) {
  expect(0, "head -c 1000001 /dev/urandom > $O/img && cp $O/img d && cmp $O/img d");
  EXPECT_THAT(disks(), ElementsAre("attach d 1000001"));
}

TEST_F(Programs, CpOfASparseImage) {
  expect(0,
         "truncate -s 8M $O/img && echo data | dd of=$O/img seek=3 bs=1M conv=notrunc status=none"
         " && cp $O/img s && cp --sparse=always $O/img t && cmp $O/img s && cmp $O/img t");
  EXPECT_THAT(disks(), ElementsAre("attach s 8388608", "attach t 8388608"));
}

TEST_F(Programs, CpArchivingKeepsOwnerModeAndTimes) {
  expect(0,
         "head -c 5000 /dev/urandom > $O/img && chown 12:34 $O/img && chmod 640 $O/img && "
         "touch -d @1000000000 $O/img && cp -a $O/img a && stat -c '%u %g %a %Y' a && cmp $O/img a",
         "12 34 640 1000000000");
  EXPECT_THAT(disks(), ElementsAre("attach a 5000"));
}

TEST_F(Programs, CpOntoADisk) {
  expect(0, "truncate -s 1M a && echo new > $O/img && cp $O/img a");
  EXPECT_EQ(contents("a"), "new\n");
  EXPECT_THAT(disks(), ElementsAre("attach a 1048576", "attach a 4"));
}

TEST_F(Programs, CpInsideTheMount) {
  expect(0, "echo disk > a && cp a b && cmp a b");
  EXPECT_THAT(disks(), ElementsAre("attach a 5", "attach b 5"));
}

TEST_F(Programs, CpInsideTheMountLeavesTheCopyingToTheStore) {
  expect(0, "head -c 300000 /dev/urandom > a && cp a b && cmp a b");
  EXPECT_THAT(backend.calls("copy to b"), ElementsAre("copy to b 300000"));
}

TEST_F(Programs, CopiesAreOfALengthThatTheReplyCanSay) {
  expect(0, "truncate -s 5G a && touch b");
  backend.fail("copy to b", EIO);
  const std::string mount_point = directories->mount_point();
  const Fd from = open_file(mount_point + "/a", O_RDONLY);
  const Fd to = open_file(mount_point + "/b", O_WRONLY);
  EXPECT_EQ(::copy_file_range(from.number(), nullptr, to.number(), nullptr, std::size_t{5} << 30, 0), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_THAT(backend.calls("copy to b"), ElementsAre("copy to b 1073741824"));
}

TEST_F(Programs, CpInsideTheMountKeepsHoles) {
  expect(0,
         "truncate -s 8M a.part && echo data | dd of=a.part seek=3 bs=1M conv=notrunc status=none"
         " && cp a.part b && cmp a.part b && stat -c '%s %b' a.part b",
         "8388608 8\n8388608 8\n");
  EXPECT_THAT(disks(), ElementsAre("attach b 8388608"));
}

TEST_F(Programs, CpInsideTheMountThatMustShareBlocksSaysThatItCannot) {
  expect(1, "echo disk > a && cp --reflink=always a b", "Operation not supported");
}

TEST_F(Programs, MvFromElsewhereAndBack) {
  expect(0, "echo disk > $O/img && mv $O/img a && ! test -e $O/img");
  EXPECT_THAT(disks(), ElementsAre("attach a 5"));
  expect(0, "mv a $O/back && grep disk $O/back");
  EXPECT_FALSE(backend.volume("a"));
}

TEST_F(Programs, Dd) {
  expect(0, "dd if=/dev/zero of=a bs=1M count=3 status=none");
  EXPECT_THAT(disks(), ElementsAre("attach a 3145728"));
  EXPECT_EQ(backend.volume("a")->largest_write(), 1048576U);
}

TEST_F(Programs, DdThatOnlySeeks) {
  expect(0, "dd if=/dev/null of=a bs=1M seek=1 count=0 status=none");
  EXPECT_THAT(disks(), ElementsAre("attach a 1048576"));
}

TEST_F(Programs, DdIntoAVolumeThatIsNoDiskYet) {
  expect(0, "echo old contents > a.part");
  backend.fail("attach a", ENODEV);
  expect(0, "mv a.part a");
  backend.fail("attach a", 0);
  backend.forget_calls();
  ASSERT_TRUE(backend.volume("a"));
  backend.volume("a")->resize(0, 0);  // as detached
  backend.volume("a")->resize(12, 0);
  expect(0, "printf new | dd of=a conv=notrunc status=none");
  EXPECT_THAT(disks(), ElementsAre("attach a 12"));
}

TEST_F(Programs, ShellRedirections) {
  expect(0, "echo one > a; cat $0 > b; { echo a; /bin/echo b; echo c; } > c; cat c", "a\nb\nc\n");
  EXPECT_EQ(contents("a"), "one\n");
  EXPECT_EQ(contents("c"), "a\nb\nc\n");
  EXPECT_EQ(disks().size(), 3U);
  EXPECT_EQ(disks()[0], "attach a 4");
  EXPECT_EQ(disks()[2], "attach c 6");
}

TEST_F(Programs, AppendingAndPipesUnderATemporaryName) {
  expect(0, "echo one > a.tmp; echo two >> a.tmp; echo three | cat >> a.tmp");
  EXPECT_THAT(disks(), IsEmpty());
  expect(0, "mv a.tmp a");
  EXPECT_EQ(contents("a"), "one\ntwo\nthree\n");
  EXPECT_THAT(disks(), ElementsAre("attach a 14"));
}

TEST_F(Programs, Rsync) {
  if (run("command -v rsync").status != 0) GTEST_SKIP() << "rsync is not installed";
  expect(0,
         "head -c 300000 /dev/urandom > $O/img && rsync $O/img a && cmp $O/img a && rsync -a $M/ $O/copy/");
  EXPECT_THAT(disks(), ElementsAre("attach a 300000"));
  EXPECT_EQ(run_outside("ls -A copy").output, "a\nstatus\n");
}

TEST_F(Programs, MvInsideTheMount) {
  expect(0, "echo disk > a && mkdir web && mv a web/b && ls web && cat web/b && cat .ctl/vol/web/b/size",
         "b\ndisk\nsize of web/b\n");
  EXPECT_THAT(backend.calls("rename"), ElementsAre("rename a web/b"));
  expect(0, "echo other > c && mv c web/b && cat web/b", "other\n");
}

TEST_F(Programs, LnAttachesInPlaceAndLsShowsWhat) {
  expect(0, "ln -s $O/img golden && readlink golden && ls -l golden", " golden -> " + directories->other());
  EXPECT_THAT(backend.calls("attach"),
              ElementsAre("attach_in_place golden " + directories->other() + "/img"));
  expect(0, "echo there > $O/img && cat golden && find . -type l && mv golden g && rm g && cat $O/img",
         "there");
}

TEST_F(Programs, RmRemovesAndRmOfABusyDiskSaysSo) {
  expect(0, "echo disk > a && echo disk > b && rm a && ls", "b\nstatus\n");
  backend.fail("remove b", EBUSY);
  expect(1, "rm b", "Device or resource busy");
  EXPECT_TRUE(backend.volume("b"));
}

TEST_F(Programs, RmOfAnOpenVolumeLeavesNoHiddenFile) {
  expect(0, "exec 3<>a; echo disk >&3; rm a; ls -A; cat /proc/self/fd/3; stat -L -c %h /proc/self/fd/3",
         "status\ndisk\n0\n");
}

TEST_F(Programs, RmOfADirectoryWithVolumes) {
  expect(0, "mkdir web web/blue && truncate -s 4096 web/a web/blue/b && rm -r web && ls", "status\n");
  EXPECT_FALSE(backend.volume("web/a"));
}

TEST_F(Programs, LsAndFindSeeVolumesAndStatusOnly) {
  expect(0, "mkdir web && truncate -s 4096 web/a b");
  EXPECT_EQ(run("ls -A").output, "b\nstatus\nweb\n");
  EXPECT_EQ(run("find . | sort").output, ".\n./b\n./status\n./web\n./web/a\n");
  EXPECT_EQ(run("ls -ld --time-style=+ b | cut -c 1-10").output, "-rw-r--r--\n");
}

TEST_F(Programs, LsListsManyVolumes) {
  expect(0, "for i in $(seq 400); do : > a_long_name_for_a_volume_so_that_a_page_does_not_do_$i; done");
  EXPECT_EQ(run("ls | wc -l").output, "401\n");
}

TEST_F(Programs, CtlIsThereThoughNotListed) {
  expect(0, "truncate -s 4096 a && cd .ctl && ls && cat version status && ls vol/a && cat vol/a/device",
         "device of a\n");
  EXPECT_EQ(run("ls .ctl/vol").output, "a\n");
  expect(0, "cat status", "table of ''\n");
}

}  // namespace tcmufs::fuse
