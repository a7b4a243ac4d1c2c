#include "mountctl/volume_list.h"

#include <gmock/gmock.h>

#include "fake_mount.h"
#include "refused.h"
#include "sys/error.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* two_volumes = R"doc({"format":1,"version":"0.1.0","pid":1234,"store":"/var/lib/tcmufs",
  "mount":"/mnt/disks","volumes":[
  {"name":"db0","state":"ready","size":10737418240,"device":"/dev/sda","link":"/dev/tcmufs/db0","uuid":"u",
   "wwn":"naa.6","block_size":512,"holders":["mounted on '/srv'","open in process 17 (dd)"],"last_error":""},
  {"name":"web/disk0","state":"failed","size":4096,"holders":[],"last_error":"no room"}
  ]})doc";

TEST(MountStatus, HoldsWhatTheDaemonWrote) {
  const MountStatus status = parse_mount_status(two_volumes, "here");
  EXPECT_EQ(status.version, "0.1.0");
  EXPECT_EQ(status.pid, 1234);
  EXPECT_EQ(status.store, "/var/lib/tcmufs");
  ASSERT_EQ(status.volumes.size(), 2u);
  EXPECT_EQ(status.volumes[0].name, "db0");
  EXPECT_EQ(status.volumes[0].state, "ready");
  EXPECT_EQ(status.volumes[0].size_bytes, 10737418240u);
  EXPECT_EQ(status.volumes[0].device, "/dev/sda");
  EXPECT_EQ(status.volumes[0].link, "/dev/tcmufs/db0");
  EXPECT_THAT(status.volumes[0].holders, ElementsAre("mounted on '/srv'", "open in process 17 (dd)"));
  EXPECT_EQ(status.volumes[1].last_error, "no room");
}

TEST(MountStatus, KeysThatAreMissingOrNewAreNoError) {
  const MountStatus status =
      parse_mount_status(R"({"format":1,"new":{},"volumes":[{"name":"a","new":[1]}]})", "here");
  ASSERT_EQ(status.volumes.size(), 1u);
  EXPECT_EQ(status.volumes[0].name, "a");
  EXPECT_EQ(status.volumes[0].device, "");
}

TEST(MountStatus, AnotherFormatIsRefusedByNumber) {
  EXPECT_THAT(refused(ExitStatus::failed, [] { (void)parse_mount_status(R"({"format":2})", "here"); }),
              HasSubstr("format 2"));
  refused(ExitStatus::failed, [] { (void)volumes_json(R"({"format":2})", "here"); });
}

TEST(MountStatus, WhatIsNoDocumentIsRefusedWithItsPlace) {
  for (const char* text : {"", "{", "[]", "1", R"({"format":"1"})", R"({"format":1,"pid":"x"})",
                           R"({"format":1,"volumes":[1]})", R"({"format":1,"volumes":[{"holders":[1]}]})"}) {
    EXPECT_THAT(refused(ExitStatus::failed, [&] { (void)parse_mount_status(text, "/m/status.json"); }),
                HasSubstr("'/m/status.json'"))
        << text;
  }
}

TEST(MountStatus, UnreadableFileIsNamed) {
  const FileTree directory;
  try {
    (void)read_mount_status(directory.path());
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), ENOENT);
    EXPECT_THAT(failure.what(), HasSubstr(directory.path() + "/.ctl/status.json"));
  }
}

TEST(VolumesJson, KeepsEveryKeyOfTheDaemon) {
  const std::string text = volumes_json(two_volumes, "here");
  EXPECT_THAT(text, AllOf(HasSubstr(R"("wwn": "naa.6")"), HasSubstr(R"("block_size": 512)")));
  EXPECT_EQ(text.front(), '[');
  EXPECT_EQ(text.back(), '\n');
}

TEST(VolumesJson, NoVolumesAreAnEmptyArray) {
  EXPECT_EQ(volumes_json(R"({"format":1})", "here"), "[]\n");
}

TEST(Holders, AreNamedWithTheirVolume) {
  EXPECT_EQ(describe_holders(parse_mount_status(two_volumes, "here")),
            "db0 is mounted on '/srv', open in process 17 (dd)");
}

TEST(Holders, NobodyIsAnEmptyText) {
  EXPECT_EQ(describe_holders(parse_mount_status(R"({"format":1,"volumes":[{"name":"a"}]})", "here")), "");
}

}  // namespace
}  // namespace tcmufs::mountctl
