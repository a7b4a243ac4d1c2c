// A command ring of any bytes, that change while it is served.
#include "tcmu/ring.h"

#include <array>
#include <cstring>
#include <memory>

#include "fuzz/input.h"
#include "sys/error.h"

namespace {

using namespace tcmufs;

constexpr std::size_t ring_bytes = 1024;
constexpr std::size_t data_bytes = 4096;
constexpr std::size_t map_bytes = 128 + ring_bytes + data_bytes;

/// An allocation of exactly the mapping's size.
struct Memory {
  std::unique_ptr<u64[]> words = std::make_unique<u64[]>(map_bytes / sizeof(u64));
  std::span<std::byte> span() { return {reinterpret_cast<std::byte*>(words.get()), map_bytes}; }
};

/// Puts bytes of the input over some of the memory.
void change(std::span<std::byte> memory, fuzz::Input& input) {
  const std::size_t at = input.number() % map_bytes;
  const auto bytes = input.bytes(std::min<std::size_t>(input.byte(), map_bytes - at));
  if (!bytes.empty()) std::memcpy(memory.data() + at, bytes.data(), bytes.size());
}

/// A mailbox as the kernel makes it, so that not every input ends there.
void format(std::span<std::byte> memory) {
  constexpr std::array<u32, 4> mailbox{0x000f'0002, 128, ring_bytes, 0};
  std::memcpy(memory.data(), mailbox.data(), sizeof mailbox);
}

void serve(std::span<std::byte> memory, fuzz::Input& input) {
  tcmu::Ring ring(memory);
  std::vector<tcmu::RingCommand*> taken;
  while (!input.empty() && !ring.broken()) {
    switch (input.byte() % 5) {
      case 0:
        change(memory, input);
        break;
      case 1:
      case 2:
        if (auto* command = ring.take(); command != nullptr) {
          // All that is named must be there to be read and written.
          for (const iovec& piece : command->buffer) std::memset(piece.iov_base, 0x5a, piece.iov_len);
          taken.push_back(command);
        }
        break;
      case 3:
        if (!taken.empty()) {
          const auto sense = input.bytes(input.byte() % 97);
          const bool good = sense.empty();
          std::optional<std::size_t> data_in;
          if (input.byte() % 2 == 0) data_in = input.number();
          ring.finish(*taken.back(), {static_cast<u8>(good ? 0 : 2), sense, data_in});
          taken.pop_back();
        }
        break;
      default:
        static_cast<void>(ring.commit());
        break;
    }
  }
  fuzz::require(ring.broken() == !ring.fault().empty(), "a ring is broken in words");
  fuzz::require(ring.in_flight() == taken.size(), "commands taken and not finished are counted");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Memory memory;
  format(memory.span());
  for (u8 changes = input.byte() % 8; changes > 0; --changes) change(memory.span(), input);
  try {
    serve(memory.span(), input);
  } catch (const Failure&) {
    // What a mailbox that cannot be used gives.
  }
  return 0;
}
