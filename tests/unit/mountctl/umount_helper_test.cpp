#include "mountctl/umount_helper.h"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>

#include "fake_mount.h"
#include "refused.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A mount in use, and all that the helper does to it.
struct Busy {
  FakeMount mount;
  std::vector<int> unmounted;
  int remounted = 0;
  int remount_error = 0;

  Busy() {
    mount.status(R"({"format":1,"pid":1,"volumes":[{"name":"db0","holders":["mounted on '/srv'"]}]})");
    mount.write("mountinfo", "30 1 0:50 / " + mount.path() + " rw - fuse.tcmufs /store rw\n");
  }
  void umount(std::vector<std::string> words) {
    words.insert(words.begin(), mount.path());
    umount_as_helper(parse_umount_words(words), {.mountinfo = mount.path() + "/mountinfo",
                                                 .umount2 =
                                                     [this](const std::string&, int flags) {
                                                       unmounted.push_back(flags);
                                                       return 0;
                                                     },
                                                 .remount_read_only =
                                                     [this](const std::string&) {
                                                       ++remounted;
                                                       return remount_error;
                                                     }});
  }
};

TEST(UmountHelper, TakesTheWordsThatUmountPassesOn) {
  const auto options =
      parse_umount_words({"/mnt", "-f", "-l", "-n", "-r", "-v", "-N", "17", "-t", "fuse.tcmufs"});
  EXPECT_EQ(options.target, "/mnt");
  EXPECT_EQ(options.mount_namespace, "17");
  EXPECT_TRUE(options.lazy && options.read_only && options.verbose);
  const auto plain = parse_umount_words({"-nf", "/mnt"});
  EXPECT_FALSE(plain.lazy || plain.read_only || plain.verbose);
}

TEST(UmountHelper, RefusesWordsThatItDoesNotKnow) {
  refused(ExitStatus::usage, [] { parse_umount_words({"/mnt", "-x"}); });
  refused(ExitStatus::usage, [] { parse_umount_words({}); });
  refused(ExitStatus::usage, [] { parse_umount_words({"/a", "/b"}); });
}

TEST(UmountHelper, SaysWhoUsesTheDisksAndUnmountsNothingEvenWithForce) {
  Busy busy;
  for (const auto& words : {std::vector<std::string>{}, {"-f"}}) {
    EXPECT_THAT(refused(ExitStatus::failed, [&] { busy.umount(words); }),
                AllOf(HasSubstr("db0 is mounted on '/srv'"), HasSubstr("mountctl umount --force")));
  }
  EXPECT_THAT(busy.unmounted, ElementsAre());
  EXPECT_EQ(busy.remounted, 0);
}

TEST(UmountHelper, LazyDetachesAndWaitsForNobody) {
  Busy busy;
  busy.umount({"-l"});
  EXPECT_THAT(busy.unmounted, ElementsAre(MNT_DETACH | UMOUNT_NOFOLLOW));
}

TEST(UmountHelper, ReadOnlyIsForWhatStaysMounted) {
  Busy busy;
  EXPECT_THAT(refused(ExitStatus::failed, [&] { busy.umount({"-r"}); }),
              AllOf(HasSubstr("db0 is mounted on '/srv'"), HasSubstr("read-only now")));
  EXPECT_EQ(busy.remounted, 1);
  busy.remount_error = EPERM;
  EXPECT_THAT(refused(ExitStatus::failed, [&] { busy.umount({"-r"}); }),
              HasSubstr("cannot be made read-only either"));
}

TEST(UmountHelper, OtherFileSystemsAreLeftAlone) {
  Busy busy;
  busy.mount.write("mountinfo", "30 1 0:50 / " + busy.mount.path() + " rw - tmpfs tmpfs rw\n");
  EXPECT_THAT(refused(ExitStatus::failed, [&] { busy.umount({"-l"}); }), HasSubstr("is no mount of tcmufs"));
  EXPECT_THAT(busy.unmounted, ElementsAre());
}

TEST(UmountHelper, ExitStatusIsOneOfUmount) {
  EXPECT_EQ(umount_helper_status(ExitStatus::done), 0);
  EXPECT_EQ(umount_helper_status(ExitStatus::usage), 1);
  EXPECT_EQ(umount_helper_status(ExitStatus::failed), 32);
  EXPECT_EQ(umount_helper_status(ExitStatus::timed_out), 32);
}

}  // namespace
}  // namespace tcmufs::mountctl
