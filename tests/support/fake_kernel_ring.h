#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::test {

/// Zeroed memory for a ring, aligned as a mapping is for its purposes; can be copied.
class RingBytes {
 public:
  explicit RingBytes(std::size_t bytes) : words_((bytes + 7) / 8), bytes_(bytes) {}
  std::span<std::byte> span() { return std::as_writable_bytes(std::span(words_)).first(bytes_); }

 private:
  std::vector<u64> words_;
  std::size_t bytes_;
};

/// The kernel's side of a TCMU command ring over a block of memory: it queues commands, pads at the end of
/// the ring, hands out scattered data blocks that are used again without being zeroed, and looks at the
/// responses when it is notified, as drivers/target/target_core_user.c does: tests/system/fake_kernel.sh
/// compares the two. It has its own arithmetic and shares nothing with tcmu::Ring, which may be used in
/// another thread. Itself one thread at a time.
class FakeKernelRing {
 public:
  static constexpr std::size_t block_bytes = 4096;

  struct Shape {
    u32 cmdr_bytes = 3968;
    u32 data_blocks = 16;
    u16 flags = 0xf;
    u32 start_bytes = 0;        // where head and tail are at first
    bool lowest_first = false;  // data blocks are handed out in order; otherwise in one that is harder to use

    std::size_t map_bytes() const { return 128 + cmdr_bytes + data_blocks * block_bytes; }
  };

  /// What the initiator gets.
  struct Completion {
    u16 id = 0;
    u8 status = 0;
    std::vector<u8> sense;    // 96 bytes with CHECK CONDITION, otherwise none
    std::vector<u8> data_in;  // what was copied to the initiator
    std::size_t residual = 0;
  };

  /// Formats `memory` (shape.map_bytes() of it), which must outlive this.
  FakeKernelRing(std::span<std::byte> memory, Shape shape);
  /// The same kernel, at the same point, over a copy of its memory.
  FakeKernelRing over(std::span<std::byte> copy) const;

  /// Puts a command into the ring; its id, or nothing if ring or data area is full. Not both data-out and
  /// data-in.
  std::optional<u16> queue(std::span<const u8> cdb, std::span<const u8> data_out = {},
                           std::size_t data_in_bytes = 0);
  /// Puts an entry of another operation into the ring: op 2 is a TMR. False: the ring is full.
  bool queue_other(unsigned op, u32 length_bytes);

  /// The write to the uio node: takes the responses up to cmd_tail.
  void notify();
  /// What notify() has completed since the last call, in that order.
  std::vector<Completion> completions();

  /// The ring is in a state in which the kernel would refuse it, or worse; why.
  bool broken() const { return !complaint_.empty(); }
  const std::string& complaint() const { return complaint_; }
  /// Commands queued and not completed.
  std::size_t pending() const { return commands_.size(); }
  /// Where the entry that was queued last is, from the start of memory.
  std::size_t last_entry() const { return 128 + entries_.back().position; }
  u32 head() const { return head_; }
  u64 pads() const { return pads_; }

 private:
  struct Entry {
    u32 position;
    u32 len_op;
    u16 id;
  };
  struct Command {
    std::vector<u32> blocks;  // of the data area, in the buffer's order
    std::size_t bytes = 0;
    bool in = false;
  };

  bool make_room(u32 length);
  void put_entry(u32 op, u32 length, u16 id);
  void move_head();
  void write_pieces(std::size_t at, const Command& command, u32& count);
  bool allocate(Command& command);
  void free(const std::vector<u32>& blocks);
  void complete(std::size_t at, u16 id);
  u32 tail() const;
  std::size_t block_at(u32 block) const { return 128 + shape_.cmdr_bytes + block * block_bytes; }

  template <typename T>
  T load(std::size_t at) const;
  template <typename T>
  void store(std::size_t at, T value);

  std::span<std::byte> memory_;
  Shape shape_;
  u32 head_ = 0;
  u32 cleaned_ = 0;
  u64 pads_ = 0;
  std::vector<u32> free_blocks_;
  std::deque<Entry> entries_;  // between cleaned_ and head_
  std::map<u16, Command> commands_;
  std::vector<Completion> completions_;
  std::string complaint_;
};

}  // namespace tcmufs::test
