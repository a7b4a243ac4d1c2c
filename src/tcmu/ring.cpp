#include "tcmu/ring.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "tcmu/entry.h"

namespace tcmufs::tcmu {

namespace {

constexpr unsigned marks_executed = marks::sense | marks::good | marks::complete;

constexpr u8 status_good = 0x00;             // SAM-5 5.3.1
constexpr u8 status_check_condition = 0x02;  // SAM-5 5.3.1

// Fixed format, current (SPC-4 4.5.3): ABORTED COMMAND, no additional sense information.
constexpr std::array<u8, 18> aborted_command = {0x70, 0, 0x0b, 0, 0, 0, 0, 10};

void zero_from(std::span<const iovec> buffer, std::size_t keep_bytes) {
  for (const iovec& piece : buffer) {
    const std::size_t kept = std::min(keep_bytes, piece.iov_len);
    if (kept < piece.iov_len)
      std::memset(static_cast<std::byte*>(piece.iov_base) + kept, 0, piece.iov_len - kept);
    keep_bytes -= kept;
  }
}

std::size_t total_bytes(std::span<const iovec> buffer) {
  std::size_t total = 0;
  for (const iovec& piece : buffer) total += piece.iov_len;
  return total;
}

unsigned operation(const abi::EntryHeader& header) {
  return header.len_op & abi::op_mask;
}
u32 length_bytes(const abi::EntryHeader& header) {
  return header.len_op & ~u32{abi::op_mask};
}

}  // namespace

Ring::Ring(std::span<std::byte> mapping, StoreObserver* observer)
    : memory_(mapping, observer), settled_(memory_.tail()), next_(settled_), head_(settled_) {
  abi::EntryHeader first;
  find_command(first);
}

RingCommand* Ring::take() {
  abi::EntryHeader header;
  if (!find_command(header)) return nullptr;
  const u32 length = length_bytes(header);
  if (entry_.size() < length) entry_.resize(length);
  const std::span<std::byte> entry = std::span(entry_).first(length);
  std::memcpy(entry.data(), &header, sizeof header);
  memory_.copy(next_ + sizeof header, entry.subspan(sizeof header));

  Slot& slot = new_slot();
  const std::string rule = read_command(entry, next_, memory_, slot, slot.bidi_in);
  if (!rule.empty()) {
    slot.next = std::exchange(free_, &slot);
    break_at(next_, rule);
    return nullptr;
  }
  slot.begun = (header.uflags & marks::begun) != 0;
  slot.finished = false;
  slot.position = next_;
  slot.next = nullptr;
  (back_ != nullptr ? back_->next : front_) = &slot;
  back_ = &slot;
  ++in_flight_;
  pass(length);
  return &slot;
}

void Ring::mark_begun(RingCommand& command) noexcept {
  memory_.mark(static_cast<Slot&>(command).position, marks::begun);
}

void Ring::finish(RingCommand& command, const RingResponse& response) {
  auto& slot = static_cast<Slot&>(command);
  assert(!slot.finished);
  slot.finished = true;
  --in_flight_;
  if (broken()) return;
  const u32 read_len = fill(slot, response);
  const bool check_condition = response.status == status_check_condition;
  const unsigned flags = (response.status == status_good ? marks::good : marks::sense) |
                         (read_len > 0 ? unsigned{abi::uflag_read_len} : 0U);
  memory_.mark(slot.position, flags);
  memory_.respond(slot.position, response.status, read_len,
                  check_condition ? response.sense : std::span<const u8>());
  memory_.mark(slot.position, flags | marks::complete);
}

bool Ring::commit() {
  if (broken()) return false;
  while (front_ != nullptr && front_->finished) {
    Slot& slot = *front_;
    settled_ = slot.end;
    front_ = slot.next;
    if (front_ == nullptr) back_ = nullptr;
    slot.next = std::exchange(free_, &slot);
  }
  const bool moved = settled_ != memory_.tail();
  if (moved) memory_.move_tail(settled_);
  return !std::exchange(told_, true) || moved;
}

// Walks over what needs no execution. True: `header` is that of a command to execute, at next_.
bool Ring::find_command(abi::EntryHeader& header) {
  while (!broken() && more()) {
    memory_.copy(next_, std::as_writable_bytes(std::span(&header, 1)));
    if (!length_valid(header)) return false;
    switch (operation(header)) {
      case abi::op_command:
        if ((header.uflags & marks_executed) == 0) return true;
        settle(header);
        break;
      case abi::op_pad:
      case abi::op_tmr:  // advisory: what it names is being executed and will be answered
        break;
      default:
        memory_.mark(next_, header.uflags | unsigned{abi::uflag_unknown_op});
    }
    pass(length_bytes(header));
  }
  return false;
}

bool Ring::more() {
  if (next_ != head_) return true;
  const u32 head = memory_.head();
  if (!memory_.position_valid(head)) {
    break_at(head, "cmd_head does not lie in the ring");
    return false;
  }
  if (distance(memory_.tail(), head) < distance(memory_.tail(), next_)) {
    break_at(head, "cmd_head has moved back, or over entries that were not given back");
    return false;
  }
  head_ = head;
  return next_ != head_;
}

bool Ring::length_valid(const abi::EntryHeader& header) {
  const u32 length = length_bytes(header);
  const std::size_t least = operation(header) == abi::op_command ? sizeof(abi::Response) : sizeof header;
  const char* rule = nullptr;
  if (length < least) {
    rule = "it is too short";
  } else if (length > memory_.size_bytes() - next_) {
    rule = "it goes beyond the end of the ring";
  } else if (length > distance(next_, head_)) {
    rule = "it goes beyond cmd_head";
  }
  if (rule != nullptr) break_at(next_, rule + (", with " + std::to_string(length)) + " bytes");
  return rule == nullptr;
}

// Completes the response of a command that a predecessor has executed.
void Ring::settle(const abi::EntryHeader& header) {
  if ((header.uflags & marks::complete) != 0) return;
  const bool good = (header.uflags & marks::good) != 0 && (header.uflags & abi::uflag_read_len) == 0;
  memory_.respond(next_, good ? status_good : status_check_condition, 0,
                  good ? std::span<const u8>() : std::span<const u8>(aborted_command));
  memory_.mark(next_, (good ? marks::good : marks::sense) | marks::complete);
}

// The entry at next_ has been looked at. One that is settled goes back together with the command before it.
void Ring::pass(u32 length) {
  next_ = (next_ + length) % memory_.size_bytes();
  (back_ != nullptr ? back_->end : settled_) = next_;
}

// Makes data-in what the initiator may see of it; returns the length the kernel must be told, or 0.
u32 Ring::fill(const Slot& slot, const RingResponse& response) const {
  const bool check_condition = response.status == status_check_condition;
  if (!check_condition) zero_from(slot.bidi_in, 0);
  if (!response.data_in_bytes && (check_condition || response.status == status_good)) return 0;
  const std::size_t total = total_bytes(slot.buffer);
  const std::size_t valid = std::min(response.data_in_bytes.value_or(0), total);
  // With CHECK CONDITION the kernel copies data-in only if it is told a length; otherwise all of the buffer.
  // It takes no notice of a length of 0.
  const bool tell = valid > 0 && memory_.takes_read_len() && (check_condition || valid < total);
  if (!tell && !check_condition) zero_from(slot.buffer, valid);
  return tell ? static_cast<u32>(valid) : 0;
}

Ring::Slot& Ring::new_slot() {
  if (free_ == nullptr) return pool_.emplace_back();
  return *std::exchange(free_, free_->next);
}

void Ring::break_at(u32 position, const std::string& rule) {
  fault_ = "the command ring is broken at " + std::to_string(position) + " of " +
           std::to_string(memory_.size_bytes()) + " bytes: " + rule;
}

u32 Ring::distance(u32 from, u32 to) const noexcept {
  return to >= from ? to - from : memory_.size_bytes() - from + to;
}

}  // namespace tcmufs::tcmu
