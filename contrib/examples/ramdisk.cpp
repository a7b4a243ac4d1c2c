// ramdisk SIZE: a disk /dev/ramdisk/0 of SIZE MiB in memory, until ^C.

#include <algorithm>
#include <string>
#include <vector>

#include "until_signal.h"

namespace {

class Memory final : public tcmufs::BlockStore {
 public:
  explicit Memory(std::uint64_t size) : bytes_(size) {}

  void read(std::uint64_t offset, std::span<std::byte> data) override {
    std::copy_n(&bytes_[offset], data.size(), data.begin());
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    std::copy(data.begin(), data.end(), &bytes_[offset]);
  }
  std::uint64_t size() const override { return bytes_.size(); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: ramdisk MIB\n", 2;
  try {
    const UntilSignal until;
    const auto memory = std::make_shared<Memory>(std::stoull(argv[1]) << 20);
    until.serve(tcmufs::Device::open("/dev/ramdisk", {.name = "0"}, memory));
  } catch (const std::exception& error) {
    return std::cerr << "ramdisk: " << error.what() << "\n", 1;
  }
}
