// answering: a disk /dev/answering/0 that knows a command of its own, until ^C: opcode C1h says how many
// commands there have been. sg_raw -r 8 /dev/answering/0 c1 0 0 0 0 0 0 0 8 0

#include <algorithm>
#include <array>
#include <atomic>

#include "until_signal.h"

namespace {

class Counting final : public tcmufs::CommandHandler {
 public:
  tcmufs::Outcome handle(tcmufs::Command& command) override {
    const std::uint64_t count = ++commands_;
    if (command.opcode() != 0xc1) return command.emulate();
    std::array<std::byte, 8> number{};
    for (std::size_t i = 0; i < number.size(); ++i) number[i] = static_cast<std::byte>(count >> (56 - 8 * i));
    if (command.put(number) < number.size())
      return tcmufs::Outcome::check_condition(tcmufs::sense::invalid_field_in_cdb);
    return tcmufs::Outcome::good();
  }

 private:
  std::atomic<std::uint64_t> commands_ = 0;
};

class Nothing final : public tcmufs::BlockStore {
 public:
  void read(std::uint64_t, std::span<std::byte> data) override {
    std::fill(data.begin(), data.end(), std::byte{});
  }
  void write(std::uint64_t, std::span<const std::byte>) override {}
};

}  // namespace

int main() {
  try {
    const UntilSignal until;
    until.serve(tcmufs::Device::open("/dev/answering", {.name = "0", .size = 1 << 20},
                                     std::make_shared<Counting>(), std::make_shared<Nothing>()));
  } catch (const std::exception& error) {
    return std::cerr << "answering: " << error.what() << "\n", 1;
  }
}
