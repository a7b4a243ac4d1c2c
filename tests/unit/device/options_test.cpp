#include <gmock/gmock.h>

#include <cerrno>
#include <functional>

#include "device/checked_options.h"
#include "sys/error.h"

namespace tcmufs::device {
namespace {

int error_of(const std::function<void()>& check) {
  try {
    check();
    return 0;
  } catch (const Failure& failure) {
    return failure.error();
  }
}

TEST(DeviceOptionsTest, TextsOfInquiryHaveTheirLengths) {
  EXPECT_EQ(error_of([] { check_options({.name = "x"}); }), 0);
  EXPECT_EQ(error_of([] { check_options({.name = "x", .vendor = "12345678"}); }), 0);
  EXPECT_EQ(error_of([] { check_options({.name = "x", .vendor = "123456789"}); }), EINVAL);
  EXPECT_EQ(error_of([] { check_options({.name = "x", .product = std::string(17, 'p')}); }), EINVAL);
  EXPECT_EQ(error_of([] { check_options({.name = "x", .revision = "12345"}); }), EINVAL);
  EXPECT_EQ(error_of([] { check_options({.name = "x", .serial = "tab\there"}); }), EINVAL);
}

TEST(DeviceOptionsTest, NamesAreThoseOfFiles) {
  for (const char* name : {"", ".", "..", "a/b"})
    EXPECT_EQ(error_of([&] { check_name(name); }), EINVAL) << name;
  EXPECT_EQ(error_of([] { check_name("a b"); }), 0);
}

TEST(DeviceOptionsTest, ThreadsAreOneTo64) {
  for (const unsigned threads : {0u, 65u}) {
    EXPECT_EQ(error_of([&] { check_options({.name = "x", .threads = threads}); }), EINVAL) << threads;
  }
  EXPECT_EQ(error_of([] { check_options({.name = "x", .threads = 64}); }), 0);
}

TEST(DeviceOptionsTest, ATargetIsOfNaa5) {
  EXPECT_EQ(error_of([] { check_options({.name = "x", .target = Wwn::of_serial("t")}); }), EINVAL);
  EXPECT_EQ(error_of([] { check_options({.name = "x", .target = Wwn::naa5("001405", "123456789")}); }), 0);
}

TEST(DeviceOptionsTest, TheSizeIsThatOfTheStoreUnlessSaid) {
  EXPECT_EQ(size_of({.name = "x"}, 4096), 4096u);
  EXPECT_EQ(size_of({.name = "x", .size = 512}, 4096), 512u);
  EXPECT_EQ(size_of({.name = "x", .size = 512}, 0), 512u);
  EXPECT_EQ(error_of([] { size_of({.name = "x"}, 0); }), EINVAL);
  EXPECT_EQ(error_of([] { size_of({.name = "x", .size = 8192}, 4096); }), EINVAL);
}

TEST(DeviceOptionsTest, ADeviceIsKnownByMachineDirectoryAndName) {
  const Uuid uuid = uuid_of("/dev/a", "b", "machine");
  EXPECT_EQ(uuid_of("/dev/a", "b", "machine"), uuid);
  EXPECT_NE(uuid_of("/dev/a", "c", "machine"), uuid);
  EXPECT_NE(uuid_of("/dev/c", "b", "machine"), uuid);
  EXPECT_NE(uuid_of("/dev/a", "b", "another"), uuid);
  EXPECT_EQ(whole_path("/usr/./lib/../lib//"), whole_path("/usr/lib"));
}

}  // namespace
}  // namespace tcmufs::device
