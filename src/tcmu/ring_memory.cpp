#include "tcmu/ring_memory.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "sys/error.h"

namespace tcmufs::tcmu {

namespace {

constexpr std::size_t alignment = 8;

// The compiler moves no store to shared memory, and no load from it, across this.
void keep_order() noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

[[noreturn]] void reject(const std::string& what) {
  throw Failure(EPROTO, "the mailbox of the command ring cannot be used: " + what);
}

template <typename Field>
std::atomic_ref<Field> field(std::byte* address) noexcept {
  return std::atomic_ref<Field>(*reinterpret_cast<Field*>(address));
}

std::string number(u64 value) {
  return std::to_string(value);
}

}  // namespace

RingMemory::RingMemory(std::span<std::byte> mapping, StoreObserver* observer)
    : mapping_(mapping), observer_(observer) {
  if (reinterpret_cast<std::uintptr_t>(mapping.data()) % alignment != 0) reject("it is not aligned");
  if (mapping.size() < sizeof(abi::Mailbox)) {
    reject("the mapping has " + number(mapping.size()) + " bytes, too few for it");
  }
  abi::Mailbox mailbox;
  std::memcpy(&mailbox, mapping.data(), sizeof mailbox);
  keep_order();
  if (mailbox.version != abi::mailbox_version) {
    reject("version is " + number(mailbox.version) + ", not " + number(abi::mailbox_version));
  }
  start_ = mailbox.cmdr_off;
  size_ = mailbox.cmdr_size;
  flags_ = mailbox.flags;
  tail_ = mailbox.cmd_tail;
  if (start_ < sizeof mailbox || start_ % alignment != 0 || start_ > mapping.size()) {
    reject("cmdr_off is " + number(start_));
  }
  if (size_ == 0 || size_ % alignment != 0 || size_ > mapping.size() - start_) {
    reject("cmdr_size is " + number(size_) + ", at " + number(start_) + " of " + number(mapping.size()) +
           " bytes");
  }
  const u32 first_head = head();
  if (!position_valid(first_head)) reject("cmd_head is " + number(first_head) + " of " + number(size_));
  if (!position_valid(tail_)) reject("cmd_tail is " + number(tail_) + " of " + number(size_));
}

u32 RingMemory::head() const noexcept {
  // Acquire: the entries before the head are seen as the kernel wrote them before it moved the head.
  return field<u32>(mapping_.data() + offsetof(abi::Mailbox, cmd_head)).load(std::memory_order_acquire);
}

void RingMemory::copy(u32 position, std::span<std::byte> to) const noexcept {
  std::memcpy(to.data(), at(position), to.size());
  keep_order();
}

std::byte* RingMemory::data(u64 offset, u64 length_bytes) const noexcept {
  if (offset < data_start() || offset > mapping_.size()) return nullptr;
  if (length_bytes > mapping_.size() - offset) return nullptr;
  return mapping_.data() + offset;
}

void RingMemory::mark(u32 position, unsigned uflags) noexcept {
  std::byte* const byte = at(position) + offsetof(abi::EntryHeader, uflags);
  keep_order();
  field<u8>(byte).store(static_cast<u8>(uflags), std::memory_order_release);
  keep_order();
  stored(Store::mark, byte, 1);
}

void RingMemory::respond(u32 position, u8 status, u32 read_len, std::span<const u8> sense) noexcept {
  abi::Response response{};
  response.scsi_status = status;
  response.read_len = read_len;
  const std::size_t sense_length = std::min(sense.size(), sizeof response.sense_buffer);
  if (sense_length > 0) std::memcpy(response.sense_buffer, sense.data(), sense_length);
  constexpr std::size_t from = offsetof(abi::Response, scsi_status);
  // All 96 bytes: the kernel copies them whole, and there is a request under them.
  keep_order();
  std::memcpy(at(position) + from, reinterpret_cast<const std::byte*>(&response) + from,
              sizeof response - from);
  keep_order();
  stored(Store::response, at(position) + from, sizeof response - from);
}

void RingMemory::move_tail(u32 position) noexcept {
  tail_ = position;
  // Release: the kernel sees the responses when it sees the tail.
  std::byte* const tail = mapping_.data() + offsetof(abi::Mailbox, cmd_tail);
  field<u32>(tail).store(position, std::memory_order_release);
  stored(Store::tail, tail, sizeof position);
}

void RingMemory::stored(Store what, std::byte* at, std::size_t length_bytes) const noexcept {
  if (observer_ != nullptr) observer_->stored(what, {at, length_bytes});
}

}  // namespace tcmufs::tcmu
