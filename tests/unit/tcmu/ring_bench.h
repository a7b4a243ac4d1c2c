#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "support/fake_kernel_ring.h"
#include "sys/integers.h"
#include "tcmu/ring.h"

namespace tcmufs::test {

/// A fake kernel with its memory, to try a Ring on.
struct RingBench {
  explicit RingBench(FakeKernelRing::Shape shape = {})
      : memory(shape.map_bytes()), kernel(memory.span(), shape) {}

  template <typename T>
  void poke(std::size_t offset, T value) {
    std::memcpy(memory.span().data() + offset, &value, sizeof value);
  }
  template <typename T>
  T peek(std::size_t offset) {
    T value;
    std::memcpy(&value, memory.span().data() + offset, sizeof value);
    return value;
  }

  RingBytes memory;
  FakeKernelRing kernel;
};

/// A 6-byte CDB.
std::array<u8, 6> cdb6(u8 opcode);

/// `length` bytes that depend on `seed`, none of them zero.
std::vector<u8> pattern(std::size_t length, u32 seed);

/// The bytes of a command's buffer.
std::vector<u8> gather(const tcmu::RingCommand& command);

/// Fills a command's buffer from its start.
void scatter(const tcmu::RingCommand& command, std::span<const u8> bytes);

/// Finishes a command with GOOD.
void finish_good(tcmu::Ring& ring, tcmu::RingCommand& command);

}  // namespace tcmufs::test
