// letters: the handler of targetcli's backstores user:letters, until ^C. They are in memory, and full of one
// letter at first: targetcli /backstores/user:letters create name=test size=64M cfgstring=x

#include <tcmufs/backstores.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "until_signal.h"

namespace {

class Memory final : public tcmufs::BlockStore {
 public:
  Memory(std::uint64_t size, char letter) : bytes_(size, static_cast<std::byte>(letter)) {}

  void read(std::uint64_t offset, std::span<std::byte> data) override {
    std::copy_n(&bytes_[offset], data.size(), data.begin());
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    std::copy(data.begin(), data.end(), &bytes_[offset]);
  }
  std::uint64_t size() const override { return bytes_.size(); }
  void resize(std::uint64_t size) override { bytes_.resize(size); }

 private:
  std::vector<std::byte> bytes_;
};

class Letters final : public tcmufs::BackstoreHandler {
 public:
  void check(const std::string& config) override {
    if (config.size() != 1) throw tcmufs::Error(EINVAL, "'" + config + "' is no letter");
  }
  tcmufs::Served open(const tcmufs::Backstore& backstore) override {
    check(backstore.config);
    return {.store = std::make_shared<Memory>(backstore.size, backstore.config[0])};
  }
};

}  // namespace

int main() {
  try {
    const UntilSignal until;
    const auto tell = [](const std::string& sentence) { std::cout << sentence << std::endl; };
    const auto backstores = tcmufs::Backstores::open(
        {.handler = "letters", .description = "One letter.", .on_event = tell}, std::make_shared<Letters>());
    until.wait();
  } catch (const std::exception& error) {
    return std::cerr << "letters: " << error.what() << "\n", 1;
  }
}
