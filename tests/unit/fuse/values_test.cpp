// Values that ordinary programs write to control files: they are taken or refused in write(2).

#include <fcntl.h>
#include <unistd.h>

#include "ctlfs/control_files.h"
#include "mounted_fixture.h"

namespace tcmufs::fuse {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Values : public Mounted {
 protected:
  void SetUp() override {
    Mounted::SetUp();
    if (IsSkipped()) return;
    backend.have_volume("a", "x");
    start({"default_permissions", "allow_other"});
  }
  std::vector<std::string> taken_sets() {
    auto calls = backend.calls("set ");
    backend.forget_calls();
    return calls;
  }
  void sets_once(const std::string& command) {
    expect(0, command);
    EXPECT_THAT(taken_sets(), ElementsAre("set a/block_size 4096")) << command;
  }
};

TEST_F(Values, ProgramsSetOneWithOneWrite) {
  const std::string file = ".ctl/vol/a/block_size";
  sets_once("echo 4096 > " + file);
  sets_once("echo -n 4096 > " + file);
  sets_once("echo 4096 >> " + file);
  sets_once("/bin/echo '  4096 ' 1<> " + file);
  sets_once("{ printf 4096; echo; } > " + file);
  sets_once("echo 4096 | tee " + file);
  sets_once("echo 4096 | tee -a " + file);
  sets_once("echo 4096 | dd of=" + file + " status=none");
  sets_once("echo 4096 | dd of=" + file + " conv=notrunc,fsync status=none");
  sets_once("echo 4096 > $O/v; cat $O/v > " + file);
  sets_once("cp $O/v " + file);
  EXPECT_EQ(run("cat " + file).output, "4096\n");
  expect(0, "echo 512 > .ctl/defaults/block_size && cat .ctl/defaults/block_size", "512");
}

TEST_F(Values, ALaterOneInTheSameFileCounts) {
  expect(0, "exec 3> .ctl/vol/a/block_size; echo 4096 >&3 && echo 512 >&3");
  EXPECT_THAT(taken_sets(), ElementsAre("set a/block_size 4096", "set a/block_size 512"));
}

TEST_F(Values, WhatIsNoWholeValueIsRefused) {
  expect(1, "echo 4096 | dd of=.ctl/vol/a/block_size seek=1 bs=1 conv=notrunc status=none",
         "Invalid argument");
  EXPECT_THAT(taken_sets(), IsEmpty());
  expect(1, "printf 4096 | dd of=.ctl/vol/a/block_size bs=2 status=none", "Invalid argument");
  expect(1, "exec 3> .ctl/vol/a/block_size; printf 40 >&3; printf 96 >&3", "Invalid argument");
  expect(1, "head -c 3M /dev/zero | tr '\\0' 1 > .ctl/vol/a/block_size", "Invalid argument");
}

TEST_F(Values, OpeningAndTruncatingSetNothing) {
  expect(0,
         ": > .ctl/vol/a/block_size && truncate -s 0 .ctl/vol/a/block_size && touch .ctl/vol/a/block_size");
  expect(0, "truncate -s 100 .ctl/vol/a/block_size && stat -c '%A %s' .ctl/vol/a/block_size", "-rw-r--r-- 0");
  EXPECT_THAT(backend.calls(), IsEmpty());
}

TEST_F(Values, RefusalIsThatOfTheWriteNotOfTheClose) {
  backend.fail("set a/block_size", EBUSY);
  expect(1, "echo 4096 > .ctl/vol/a/block_size", "Device or resource busy");
  const int file =
      open((directories->mount_point() + "/.ctl/vol/a/block_size").c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  EXPECT_EQ(::write(file, "4096\n", 5), -1);
  EXPECT_EQ(errno, EBUSY);
  EXPECT_EQ(close(file), 0);
}

TEST_F(Values, AreForRootAlone) {
  expect(0, "id nobody");
  const std::string as_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
  expect(0, as_nobody + "cat .ctl/vol/a/block_size .ctl/defaults/block_size");
  expect(1, as_nobody + "bash -c 'echo 4096 > .ctl/vol/a/block_size'", "Permission denied");
  expect(1, as_nobody + "bash -c 'echo 4096 > .ctl/defaults/block_size'", "Permission denied");
  expect(1, "chmod 666 .ctl/vol/a/block_size", "Operation not permitted");
  expect(1, "chown nobody .ctl/defaults/block_size", "Operation not permitted");
  expect(1, "rm -f .ctl/defaults/block_size", "Operation not permitted");
  EXPECT_THAT(backend.calls("set "), IsEmpty());
}

TEST_F(Values, DefaultsAreListedInCtl) {
  std::string names;
  for (const auto& file : ctlfs::default_control_files()) names += std::string(file.name) + "\n";
  EXPECT_EQ(run("ls -U .ctl/defaults").output, names);
  expect(0, "ls .ctl", "defaults");
}

TEST_F(Mounted, ReadOnlyTakesNoValues) {
  backend.have_volume("a", "x");
  start({"ro"});
  expect(1, "echo 4096 > .ctl/vol/a/block_size", "Read-only file system");
  expect(1, "echo 4096 > .ctl/defaults/block_size", "Read-only file system");
}

TEST_F(Values, DraftsAreMadeAndVolumesRemovedAsDirectories) {
  expect(0, "umask 022; mkdir .ctl/vol/new && stat -c %A new && cat .ctl/vol/new/state && ls", "-rw-r--r--");
  EXPECT_THAT(backend.calls("create"), ElementsAre("create new draft"));
  expect(0, "mkdir web && mkdir .ctl/vol/web/disk0 && ls web", "disk0");
  expect(0, "echo 1M > .ctl/vol/new/size && stat -c %s new", "1048576");
  expect(1, "echo lots > .ctl/vol/new/size", "Invalid argument");
  expect(1, "mkdir .ctl/vol/a/b", "Operation not permitted");
  expect(1, "rmdir .ctl/vol/web", "Operation not permitted");
  expect(0, "rmdir .ctl/vol/new .ctl/vol/web/disk0 .ctl/vol/a");
  EXPECT_THAT(backend.calls("remove "), ElementsAre("remove new", "remove web/disk0", "remove a"));
  expect(0, "rmdir web && ls", "status");
}

}  // namespace tcmufs::fuse
