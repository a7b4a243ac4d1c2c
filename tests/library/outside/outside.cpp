#include <tcmufs/device.h>

#include <algorithm>
#include <iostream>
#include <vector>

struct Memory : tcmufs::BlockStore {
  void read(std::uint64_t offset, std::span<std::byte> data) override {
    std::copy_n(&bytes[offset], data.size(), data.begin());
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    std::copy(data.begin(), data.end(), &bytes[offset]);
  }
  std::vector<std::byte> bytes = std::vector<std::byte>(1 << 20);
};

// Every kind of name crosses: functions, classes with virtual functions, an exception that is caught by its type.
int main() {
  try {
    tcmufs::Device::open("/dev/outside", {.name = "a/b", .size = 1 << 20}, std::make_shared<Memory>());
  } catch (const tcmufs::Error& error) {
    std::cout << tcmufs::generate_serial("outside") << " " << error.what() << "\n";
    return error.code().value() == EINVAL ? 0 : 1;
  }
  return 1;
}
