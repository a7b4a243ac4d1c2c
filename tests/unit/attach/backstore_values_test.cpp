#include "attach/backstore_values.h"

#include <gtest/gtest.h>

#include "device/hash.h"
#include "scsi/naa.h"
#include "support/fake_configfs.h"
#include "sys/error.h"

namespace tcmufs::attach {
namespace {

class BackstoreValues : public testing::Test {
 protected:
  BackstoreValues() {
    tree_.make_directory("core/user_7");
    tree_.make_directory("core/user_7/disk");
    tree_.write("core/user_7/disk/control", "dev_config=tcmufs//a,dev_size=65536,hw_block_size=4096");
    tree_.write("core/user_7/disk/enable", "1");
  }

  test::FakeConfigfs tree_;
  const UioName name_{7, "disk", "tcmufs//a"};
};

TEST_F(BackstoreValues, AreTheKernels) {
  const Backstore backstore = read_backstore(tree_, name_);
  EXPECT_EQ(backstore.name, "disk");
  EXPECT_EQ(backstore.hba, 7U);
  EXPECT_EQ(backstore.config, "/a");
  EXPECT_EQ(backstore.size, 65536U);
  EXPECT_EQ(backstore.block_size, 4096U);
  EXPECT_FALSE(is_exported(tree_, name_));
}

TEST_F(BackstoreValues, TheWriteCacheIsOffUnlessSomebodyTurnsItOn) {
  tree_.listen();
  EXPECT_FALSE(read_write_cache(tree_, name_));
  tree_.write("core/user_7/disk/attrib/emulate_write_cache", "1");
  EXPECT_TRUE(read_write_cache(tree_, name_));
}

TEST_F(BackstoreValues, OfADiskThatIsGoneAreAFailure) {
  EXPECT_THROW(read_backstore(tree_, UioName{7, "other", "tcmufs//a"}), Failure);
}

TEST_F(BackstoreValues, IdentityIsAsLioWouldMakeIt) {
  tree_.write("core/user_7/disk/wwn/vpd_unit_serial", "12345678-9abc-def0-1234-56789abcdef0");
  const scsi::Identity identity = read_identity(tree_, name_);
  EXPECT_EQ(identity.vendor, "LIO-ORG");
  EXPECT_EQ(identity.product, "disk");
  EXPECT_EQ(identity.serial, "12345678-9abc-def0-1234-56789abcdef0");
  EXPECT_EQ(scsi::naa_name(identity), "naa.6001405123456789abcdef0123456789");
}

TEST_F(BackstoreValues, WithoutASerialNumberIdentityFollowsFromTheName) {
  const scsi::Identity one = read_identity(tree_, name_);
  EXPECT_TRUE(one.serial.empty());
  EXPECT_TRUE(one.naa.empty());
  EXPECT_EQ(one.uuid, read_identity(tree_, name_).uuid);
  EXPECT_NE(one.uuid.text(), Uuid{device::hash_of("core/user_7/disk")}.text()) << "the same on every machine";
}

TEST(NaaOfSerial, TakesTheHexadecimalDigitsThereAre) {
  const auto name = [](std::string_view serial) {
    return scsi::naa_name(scsi::Identity{.uuid = {}, .naa = scsi::naa_of_serial(serial)});
  };
  EXPECT_EQ(name("AB-xy-1"), "naa.6001405ab10000000000000000000000");
  EXPECT_EQ(name(""), "naa.60014050000000000000000000000000");
}

}  // namespace
}  // namespace tcmufs::attach
