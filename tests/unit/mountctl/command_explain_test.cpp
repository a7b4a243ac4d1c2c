#include "mountctl/command_explain.h"

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fake_mount.h"
#include "refused.h"
#include "sys/error.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A mount with the disk sda, which has a partition that a dm-0 lies on, and a disk of others, vda.
class Explain : public testing::Test {
 protected:
  void SetUp() override {
    mount_.status(R"doc({"format":1,"store":"/s","volumes":[
      {"name":"web/d","state":"ready","size":10737418240,"device":"/dev/sda","sg":"/dev/sg3","link":"/dev/tcmufs/web/d",
       "uuid":"u-u","wwn":"naa.5","holders":["mounted on '/srv'"],"last_error":""},
      {"name":"new","state":"pending","size":0,"device":"","sg":"","link":"","uuid":"n-n","wwn":"naa.6","holders":[],
       "last_error":"no room"}]})doc");
    mount_.write("new", "");
    sys_.write("devices/2:0:1:4/block/sda/sda1/partition", "1\n");
    sys_.link("../..", "devices/2:0:1:4/block/sda/device");
    sys_.make_directory("devices/vda");
    sys_.make_directory("devices/dm-0/slaves");
    sys_.link("../../2:0:1:4/block/sda/sda1", "devices/dm-0/slaves/sda1");
    sys_.make_directory("class/block");
    for (const auto& [name, place] : std::map<std::string, std::string>{{"sda", "2:0:1:4/block/sda"},
                                                                        {"sda1", "2:0:1:4/block/sda/sda1"},
                                                                        {"vda", "vda"},
                                                                        {"dm-0", "dm-0"}}) {
      sys_.link("../../devices/" + place, "class/block/" + name);
    }
    sys_.make_directory("srv");
    sys_.write("mountinfo", "40 1 8:1 / " + (sys_ / "srv") + " rw - ext4 /dev/sda1 rw\n");
  }

  std::string explained(const std::string& subject, bool json = false) const {
    const ExplainPlaces places{.sys = sys_.path(),
                               .mountinfo = sys_ / "mountinfo",
                               .device_name = [](const std::string& path) -> std::optional<std::string> {
                                 if (!path.starts_with("/dev/")) return std::nullopt;
                                 return path.substr(path.rfind('/') + 1);
                               }};
    std::ostringstream out;
    explain({"/no/such/mount", mount_.path()}, subject, json, places, out);
    return out.str();
  }

  FakeMount mount_;
  FileTree sys_;
};

TEST_F(Explain, DiskIsToldInSentences) {
  EXPECT_EQ(explained("/dev/sda"),
            "/dev/sda is the volume 'web/d' of the mount '" + mount_.path() +
                "'. Its state is ready, its size 10G (10737418240 bytes).\n"
                "Its image is '/s/web/d', in the store '/s'.\n"
                "Its disk is /dev/sda, /dev/sg3, /dev/tcmufs/web/d: LUN 4 of the SCSI target 2:0:1.\n"
                "Its uuid is u-u, its wwn naa.5.\n"
                "It is mounted on '/srv'.\n");
}

TEST_F(Explain, PartitionSgStackedDeviceAndMountPointAreOfTheVolume) {
  for (const std::string& subject : {std::string("/dev/sda1"), std::string("/dev/sg3"),
                                     std::string("/dev/dm-0"), sys_ / "srv", std::string("web/d")}) {
    EXPECT_THAT(explained(subject), HasSubstr("is the volume 'web/d'")) << subject;
  }
}

TEST_F(Explain, FileOfTheMountIsItsVolumeWhichMayBeNoDisk) {
  EXPECT_THAT(explained(mount_ / "new"),
              AllOf(HasSubstr("'new'"), HasSubstr("It is no disk now.\n"), HasSubstr("Nobody uses it.\n"),
                    HasSubstr("Last error: no room\n")));
}

TEST_F(Explain, ImageIsItsVolume) {
  sys_.write("store/new", "");
  mount_.status(R"({"format":1,"store":")" + (sys_ / "store") + R"(","volumes":[{"name":"new"}]})");
  EXPECT_THAT(explained(sys_ / "store/new"), HasSubstr("is the volume 'new'"));
}

TEST_F(Explain, DiskOfOthersIsSaidSoAndSoIsAMountThatDoesNotAnswer) {
  for (const std::string& subject : {std::string("/dev/vda"), sys_ / "mountinfo"}) {
    EXPECT_THAT(refused(ExitStatus::failed, [&] { (void)explained(subject); }),
                AllOf(HasSubstr("'" + subject + "' is none of ours"), HasSubstr("/no/such/mount")));
  }
}

TEST_F(Explain, WhatIsNeitherANameNorAPathIsSaidSo) {
  for (const char* subject : {"/no/such", "db9", "web/e"}) {
    try {
      (void)explained(subject);
      ADD_FAILURE() << subject;
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), AllOf(HasSubstr("cannot explain '" + std::string(subject) + "'"),
                                        HasSubstr("the name of no volume"), HasSubstr("As a path: ")));
      EXPECT_EQ(failure.error(), ENOENT);
    }
  }
}

TEST_F(Explain, JsonHasAllThatTheMountKnowsAndMore) {
  const auto json = nlohmann::json::parse(explained("/dev/sda1", true));
  EXPECT_EQ(json["subject"], "/dev/sda1");
  EXPECT_EQ(json["name"], "web/d");
  EXPECT_EQ(json["image"], "/s/web/d");
  EXPECT_EQ(json["scsi_address"], "2:0:1:4");
  EXPECT_EQ(json["holders"][0], "mounted on '/srv'");
}

}  // namespace
}  // namespace tcmufs::mountctl
