#include "tcmu/uio.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <fstream>
#include <thread>

#include "support/temporary_directory.h"
#include "sys/error.h"

namespace tcmufs::tcmu {
namespace {

namespace fs = boost::filesystem;
using std::chrono::milliseconds;
using testing::HasSubstr;

class UioTest : public testing::Test {
 protected:
  UioTest() {
    fs::create_directories(root_ / "dev");
    fs::create_directories(root_ / "sys/class/uio");
  }

  void add_device(const std::string& node, const std::string& name, const std::string& size = "0x3000") {
    const std::string device = root_ / ("sys/class/uio/" + node);
    fs::create_directories(device + "/maps/map0");
    std::ofstream(device + "/maps/map0/size") << size << '\n';
    std::ofstream(device + "/name") << name << '\n';
  }
  void add_node(const std::string& node, std::size_t bytes = 0x3000) {
    std::ofstream(root_ / ("dev/" + node)) << std::string(bytes, '\0');
  }

  Uio open(const std::string& name, milliseconds limit) {
    return Uio(name, Deadline::after(limit), root_ / "sys", root_ / "dev");
  }
  // errno and sentence of the failure to open.
  std::pair<int, std::string> failure(const std::string& name) {
    try {
      open(name, milliseconds(20));
    } catch (const Failure& error) {
      return {error.error(), error.what()};
    }
    return {0, "opened"};
  }

  test::TemporaryDirectory root_;
};

TEST_F(UioTest, MapsExactlyTheSizeOfTheDeviceWithTheWholeName) {
  add_device("uio0", "tcm-user/1/vol/tcmufs/a", "0x1000");
  add_node("uio0", 0x1000);
  add_device("uio1", "tcm-user/1/vol/tcmufs/ab", "0x3000");
  add_node("uio1");
  add_device("uio2", "tcm-user/1/vol/tcmufs", "0x2000");
  add_node("uio2");
  Uio uio = open("tcm-user/1/vol/tcmufs/ab", milliseconds(1000));
  EXPECT_EQ(uio.memory().size(), 0x3000U);
  uio.memory()[0x2fff] = std::byte{'x'};
  std::ifstream node(root_ / "dev/uio1");
  node.seekg(0x2fff);
  EXPECT_EQ(node.get(), 'x') << "the mapping is shared";
}

TEST_F(UioTest, WaitsForTheDeviceAndThenForItsNode) {
  std::thread kernel([&] {
    std::this_thread::sleep_for(milliseconds(20));
    add_device("uio7", "late");
    std::this_thread::sleep_for(milliseconds(20));
    // Complete at once, as a device node is.
    add_node("uio7.new");
    fs::rename(root_ / "dev/uio7.new", root_ / "dev/uio7");
  });
  EXPECT_NO_THROW(open("late", std::chrono::seconds(60)));
  kernel.join();
}

TEST_F(UioTest, ADeviceThatDoesNotComeIsEnodev) {
  add_device("uio0", "other");
  EXPECT_EQ(failure("mine").first, ENODEV);
  EXPECT_THAT(failure("mine").second, HasSubstr("no uio device of the name 'mine'"));
}

TEST_F(UioTest, ANodeThatDoesNotComeIsATimeout) {
  add_device("uio3", "mine");
  EXPECT_EQ(failure("mine").first, ETIMEDOUT);
  EXPECT_THAT(failure("mine").second, HasSubstr("dev/uio3'"));
}

TEST_F(UioTest, ASizeThatIsNoHexadecimalNumberIsRefused) {
  for (const char* size : {"12288", "0x", "0xzz", "0x0", "0x3000 5", ""}) {
    add_device("uio0", "mine", size);
    add_node("uio0");
    EXPECT_EQ(failure("mine").first, EPROTO) << size;
  }
}

TEST_F(UioTest, WithoutUioInSysfsThereIsNoDevice) {
  fs::remove_all(root_ / "sys");
  EXPECT_EQ(failure("mine").first, ENODEV);
}

TEST_F(UioTest, AcknowledgeReadsAndNotifyWritesFourBytes) {
  add_device("uio0", "mine");
  add_node("uio0");
  Uio uio = open("mine", milliseconds(1000));
  EXPECT_TRUE(uio.acknowledge());
  EXPECT_EQ(::lseek(uio.fd(), 0, SEEK_CUR), 4);
  EXPECT_TRUE(uio.notify());
  EXPECT_EQ(::lseek(uio.fd(), 0, SEEK_CUR), 8);
}

}  // namespace
}  // namespace tcmufs::tcmu
