#include "support/fake_kernel_ring.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace tcmufs::test {

namespace {

// include/uapi/linux/target_core_user.h, as offsets.
constexpr std::size_t mailbox_head = 12;
constexpr std::size_t mailbox_tail = 64;
constexpr std::size_t entry_id = 4;
constexpr std::size_t entry_uflags = 7;
constexpr std::size_t request_iov_cnt = 8;
constexpr std::size_t request_cdb_off = 24;
constexpr std::size_t request_iov = 48;
constexpr std::size_t response_status = 8;
constexpr std::size_t response_read_len = 12;
constexpr std::size_t response_sense = 16;
constexpr std::size_t response_end = 112;

constexpr u32 round_up_8(std::size_t bytes) {
  return static_cast<u32>((bytes + 7) / 8 * 8);
}

std::size_t pieces_of(const std::vector<u32>& blocks) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) count += i == 0 || blocks[i] != blocks[i - 1] + 1;
  return count;
}

}  // namespace

template <typename T>
T FakeKernelRing::load(std::size_t at) const {
  T value;
  std::memcpy(&value, memory_.data() + at, sizeof value);
  return value;
}

template <typename T>
void FakeKernelRing::store(std::size_t at, T value) {
  std::memcpy(memory_.data() + at, &value, sizeof value);
}

FakeKernelRing::FakeKernelRing(std::span<std::byte> memory, Shape shape) : memory_(memory), shape_(shape) {
  if (memory.size() < shape.map_bytes()) throw std::invalid_argument("too little memory for the ring");
  store<u16>(0, 2);
  store<u16>(2, shape.flags);
  store<u32>(4, 128);
  store<u32>(8, shape.cmdr_bytes);
  head_ = cleaned_ = shape.start_bytes;
  store<u32>(mailbox_head, head_);
  store<u32>(mailbox_tail, head_);
  // Such an order that neighbours are handed out one after the other now and then.
  for (u32 i = 0; i < shape.data_blocks; i += 3) free_blocks_.push_back(i);
  for (u32 i = 0; i < shape.data_blocks; ++i) {
    if (i % 3 != 0) free_blocks_.push_back(i);
  }
  free({});
}

FakeKernelRing FakeKernelRing::over(std::span<std::byte> copy) const {
  FakeKernelRing result = *this;
  result.memory_ = copy;
  return result;
}

std::optional<u16> FakeKernelRing::queue(std::span<const u8> cdb, std::span<const u8> data_out,
                                         std::size_t data_in_bytes) {
  Command command;
  command.in = data_out.empty();
  command.bytes = command.in ? data_in_bytes : data_out.size();
  if (!allocate(command)) return std::nullopt;
  const std::size_t base = std::max(request_iov + 16 * pieces_of(command.blocks), response_end);
  const u32 length = round_up_8(base) + round_up_8(cdb.size());
  if (!make_room(length)) {
    free(command.blocks);
    return std::nullopt;
  }
  u16 id = 1;
  while (commands_.contains(id)) ++id;
  for (std::size_t done = 0; done < data_out.size(); done += block_bytes) {
    const std::size_t piece = std::min(block_bytes, data_out.size() - done);
    std::memcpy(memory_.data() + block_at(command.blocks[done / block_bytes]), data_out.data() + done, piece);
  }
  const std::size_t at = 128 + head_;
  put_entry(1, length, id);
  u32 count = 0;
  write_pieces(at + request_iov, command, count);
  store<u32>(at + request_iov_cnt, count);
  store<u64>(at + request_cdb_off, at + base);
  std::memcpy(memory_.data() + at + base, cdb.data(), cdb.size());
  commands_.emplace(id, std::move(command));
  move_head();
  return id;
}

bool FakeKernelRing::queue_other(unsigned op, u32 length_bytes) {
  if (!make_room(length_bytes)) return false;
  put_entry(op, length_bytes, 0);
  move_head();
  return true;
}

bool FakeKernelRing::allocate(Command& command) {
  const std::size_t count = (command.bytes + block_bytes - 1) / block_bytes;
  if (count > free_blocks_.size()) return false;
  command.blocks.assign(free_blocks_.begin(), free_blocks_.begin() + static_cast<std::ptrdiff_t>(count));
  free_blocks_.erase(free_blocks_.begin(), free_blocks_.begin() + static_cast<std::ptrdiff_t>(count));
  return true;
}

void FakeKernelRing::free(const std::vector<u32>& blocks) {
  free_blocks_.insert(free_blocks_.end(), blocks.begin(), blocks.end());
  if (shape_.lowest_first) std::sort(free_blocks_.begin(), free_blocks_.end());
}

void FakeKernelRing::write_pieces(std::size_t at, const Command& command, u32& count) {
  std::size_t left = command.bytes;
  for (std::size_t i = 0; i < command.blocks.size();) {
    const std::size_t first = i;
    do {
      ++i;
    } while (i < command.blocks.size() && command.blocks[i] == command.blocks[i - 1] + 1);
    const std::size_t piece = std::min(left, (i - first) * block_bytes);
    store<u64>(at + 16 * count, block_at(command.blocks[first]));
    store<u64>(at + 16 * count + 8, piece);
    left -= piece;
    ++count;
  }
}

// One byte of the ring stays free: equal indices mean an empty ring.
bool FakeKernelRing::make_room(u32 length) {
  const u32 to_end = shape_.cmdr_bytes - head_;
  const u32 used = (head_ + shape_.cmdr_bytes - cleaned_) % shape_.cmdr_bytes;
  const u32 needed = to_end >= length ? length : to_end + length;
  if (needed > shape_.cmdr_bytes - used - 1) return false;
  if (to_end < length) {
    put_entry(0, to_end, 0);
    move_head();
    ++pads_;
  }
  return true;
}

void FakeKernelRing::put_entry(u32 op, u32 length, u16 id) {
  const std::size_t at = 128 + head_;
  // Of a pad only the header is written.
  std::memset(memory_.data() + at, 0, op == 0 ? 8 : length);
  store<u32>(at, length | op);
  store<u16>(at + entry_id, id);
  entries_.push_back({head_, length | op, id});
}

void FakeKernelRing::move_head() {
  head_ = (entries_.back().position + (entries_.back().len_op & ~7U)) % shape_.cmdr_bytes;
  std::atomic_ref(*reinterpret_cast<u32*>(memory_.data() + mailbox_head))
      .store(head_, std::memory_order_release);
}

u32 FakeKernelRing::tail() const {
  return std::atomic_ref(*reinterpret_cast<u32*>(memory_.data() + mailbox_tail))
      .load(std::memory_order_acquire);
}

void FakeKernelRing::notify() {
  const u32 end = tail();
  while (!broken() && cleaned_ != end) {
    const std::size_t at = 128 + cleaned_;
    if (entries_.empty()) {
      complaint_ = "cmd_tail " + std::to_string(end) + " is none of an entry";
      return;
    }
    const Entry entry = entries_.front();
    if (load<u32>(at) != entry.len_op) complaint_ = "len_op of an entry has changed";
    if (load<u16>(at + entry_id) != entry.id) complaint_ = "cmd_id not found, ring is broken";
    if (broken()) return;
    if ((entry.len_op & 7U) == 1) complete(at, entry.id);
    entries_.pop_front();
    cleaned_ = (cleaned_ + (entry.len_op & ~7U)) % shape_.cmdr_bytes;
  }
}

void FakeKernelRing::complete(std::size_t at, u16 id) {
  const Command& command = commands_.at(id);
  Completion completion;
  completion.id = id;
  completion.status = load<u8>(at + response_status);
  const u32 read_len = load<u32>(at + response_read_len);
  const bool read_len_valid = (load<u8>(at + entry_uflags) & 0x2) != 0 && command.in && read_len > 0;
  const bool check_condition = completion.status == 0x02;
  std::size_t copied = command.in ? command.bytes : 0;
  if (read_len_valid) copied = std::min<std::size_t>(copied, read_len);
  if (check_condition && !read_len_valid) copied = 0;
  if (read_len_valid && (completion.status == 0 || check_condition))
    completion.residual = command.bytes - copied;
  if (check_condition) {
    completion.sense.resize(96);
    std::memcpy(completion.sense.data(), memory_.data() + at + response_sense, 96);
  }
  completion.data_in.resize(copied);
  for (std::size_t done = 0; done < copied; done += block_bytes) {
    std::memcpy(completion.data_in.data() + done,
                memory_.data() + block_at(command.blocks[done / block_bytes]),
                std::min(block_bytes, copied - done));
  }
  completions_.push_back(std::move(completion));
  free(command.blocks);
  commands_.erase(id);
}

std::vector<FakeKernelRing::Completion> FakeKernelRing::completions() {
  return std::exchange(completions_, {});
}

}  // namespace tcmufs::test
