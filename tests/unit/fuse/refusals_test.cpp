// The errnos that a user sees, through the kernel.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounted_fixture.h"

namespace tcmufs::fuse {

using ::testing::HasSubstr;

class Refusals : public Mounted {
 protected:
  void SetUp() override {
    Mounted::SetUp();
    if (!IsSkipped()) start();
  }
};

TEST_F(Refusals, LinksAndSpecialFiles) {
  expect(0, "truncate -s 4096 a");
  expect(1, "ln a b", "Operation not permitted");
  backend.fail("attach_in_place b", EBUSY);
  expect(1, "ln -s a b", "Device or resource busy");
  expect(1, "mkfifo b", "Operation not permitted");
  expect(1, "mknod b c 1 3", "Operation not permitted");
}

TEST_F(Refusals, LongNames) {
  expect(1, "touch $(printf 'n%.0s' {1..300})", "File name too long");
  expect(1, "touch $(printf 'n%.0s' {1..256})", "File name too long");
  expect(0, "touch $(printf 'n%.0s' {1..255})");
}

TEST_F(Refusals, ReservedNames) {
  expect(1, "mkdir .tcmufs", "Operation not permitted");
  expect(1, "touch .tcmufs", "Operation not permitted");
  expect(1, "rm -f status", "Operation not permitted");
  expect(1, "rmdir .ctl", "Operation not permitted");
  expect(1, "touch a; mv a status", "Operation not permitted");
  expect(1, "mv a .tcmufs", "Operation not permitted");
  EXPECT_THAT(backend.refusals().back(), HasSubstr("reserved"));
}

TEST_F(Refusals, StatusAndControlFilesAreReadOnly) {
  expect(0, "truncate -s 4096 a");
  expect(1, "echo x > status", "Permission denied");
  expect(1, "echo x > .ctl/vol/a/state", "Permission denied");
  expect(1, "truncate -s 0 .ctl/version", "Permission denied");
  expect(1, "chmod 600 status", "Operation not permitted");
  expect(1, "rm -f .ctl/vol/a/size", "Operation not permitted");
  expect(1, "mkdir .ctl/vol/a/b", "Operation not permitted");
  expect(1, "touch .ctl/x", "Operation not permitted");
  expect(1, "mv a .ctl/a", "Operation not permitted");
  EXPECT_EQ(run("stat -c '%A %s' status").output, "-r--r--r-- 0\n");
}

TEST_F(Refusals, DirectoriesAndKinds) {
  expect(0, "mkdir web && touch web/a b");
  expect(1, "rmdir web", "Directory not empty");
  expect(1, "mkdir web", "File exists");
  expect(1, "rmdir b", "Not a directory");
  expect(1, "mv -T b web", "cannot overwrite directory");
  expect(1, "mv web web/c", "to a subdirectory of itself");
}

TEST_F(Refusals, WritingToADisk) {
  expect(0, "truncate -s 4096 a");
  expect(1, "dd if=/dev/zero of=a bs=512 count=1 conv=notrunc status=none", "Device or resource busy");
  expect(1, "fallocate -p -l 4096 a", "Device or resource busy");
}

TEST_F(Refusals, TheErrorOfAnAttachIsTheErrorOfClose) {
  backend.fail("attach a", ENODEV);
  expect(1, "truncate -s 4096 a", "No such device");
  backend.fail("attach b", ETIMEDOUT);
  expect(1, "echo x > $O/img; cp $O/img b", "Connection timed out");
  backend.fail("attach c", EIO);
  expect(1, "dd if=/dev/zero of=c count=1 status=none", "Input/output error");
}

TEST_F(Refusals, NoErrnoTurnsARequestOffOrHangs) {
  backend.fail("attach a", ENOSYS);
  expect(1, "truncate -s 4096 a", "Operation not supported");
  backend.fail("attach b", 524);  // ENOTSUPP: the kernel's own, which it does not take from us
  expect(1, "truncate -s 4096 b", "Input/output error");
  backend.fail("attach c", EIO);
  expect(1, "truncate -s 4096 c", "Input/output error");  // FLUSH still comes
}

TEST_F(Refusals, RenameFlags) {
  expect(0, "touch a b");
  const std::string a = directories->mount_point() + "/a";
  const std::string b = directories->mount_point() + "/b";
  EXPECT_EQ(renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_NOREPLACE), -1);
  EXPECT_EQ(errno, EEXIST);
  EXPECT_EQ(renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE), -1);
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(Refusals, SharedMemoryMaps) {
  expect(0, "echo x > a");
  const int file = open((directories->mount_point() + "/a").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(file, 0);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), MAP_FAILED);
  close(file);
}

}  // namespace tcmufs::fuse
