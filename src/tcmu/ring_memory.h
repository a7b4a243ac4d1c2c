#pragma once

#include <cstddef>
#include <span>

#include "sys/integers.h"
#include "tcmu/abi.h"

namespace tcmufs::tcmu {

/// What a Ring has just stored into shared memory.
enum class Store { mark, response, tail };

/// Bits of an entry's uflags that the kernel does not look at; what they say is told at Ring.
namespace marks {
inline constexpr unsigned begun = 0x10;
inline constexpr unsigned sense = 0x20;
inline constexpr unsigned good = 0x40;
inline constexpr unsigned complete = 0x80;
}  // namespace marks

/// Is told after every store, while memory is what another process would find if this one died here. `bytes`
/// are those that were stored: the byte of the marks, the response from its status on, the tail.
class StoreObserver {
 public:
  StoreObserver() = default;
  StoreObserver(const StoreObserver&) = delete;
  StoreObserver& operator=(const StoreObserver&) = delete;
  virtual ~StoreObserver() = default;

  virtual void stored(Store what, std::span<std::byte> bytes) noexcept = 0;
};

/// Header, ring and data area of one mapping: every load from mailbox and ring and every store to them is
/// here. Positions are bytes from the start of the ring; the caller has checked that what it names lies
/// inside.
///
/// A process that dies has done all stores before one instant and none after it, in program order. So the
/// compiler is what must keep the stores in order; the tail is released to the kernel on other CPUs.
class RingMemory {
 public:
  /// Checks the mailbox; throws Failure (EPROTO) that says which field is wrong.
  RingMemory(std::span<std::byte> mapping, StoreObserver* observer);

  u32 size_bytes() const noexcept { return size_; }
  u64 offset_of(u32 position) const noexcept { return u64{start_} + position; }  // from the mapping's start
  u64 data_size_bytes() const noexcept { return mapping_.size() - data_start(); }
  bool takes_read_len() const noexcept { return (flags_ & abi::mailbox_read_len) != 0; }

  u32 head() const noexcept;
  u32 tail() const noexcept { return tail_; }  // nobody else moves it
  bool position_valid(u32 position) const noexcept { return position < size_ && position % 8 == 0; }

  /// Copies from the ring, once: what it returns does not change any more.
  void copy(u32 position, std::span<std::byte> to) const noexcept;

  /// The bytes of the data area from `offset` (from the mapping's start) on; nullptr if they are not all in
  /// it.
  std::byte* data(u64 offset, u64 length_bytes) const noexcept;

  /// Sets an entry's uflags.
  void mark(u32 position, unsigned uflags) noexcept;
  /// Puts a response over the request of the entry (its length has been checked). The header stays.
  void respond(u32 position, u8 status, u32 read_len, std::span<const u8> sense) noexcept;
  /// Gives the entries before `position` to the kernel.
  void move_tail(u32 position) noexcept;

 private:
  u64 data_start() const noexcept { return u64{start_} + size_; }
  std::byte* at(u32 position) const noexcept { return mapping_.data() + start_ + position; }
  void stored(Store what, std::byte* at, std::size_t length_bytes) const noexcept;

  std::span<std::byte> mapping_;
  StoreObserver* observer_;
  u32 start_ = 0;
  u32 size_ = 0;
  u32 flags_ = 0;
  u32 tail_ = 0;
};

}  // namespace tcmufs::tcmu
