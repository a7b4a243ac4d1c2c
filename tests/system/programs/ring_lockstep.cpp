// ring_lockstep UIO-NAME FILE: the kernel and the fake of it that the unit tests use
// (support/fake_kernel_ring.h) get the same commands and the same responses, chosen at random from a seed
// ($TCMUFS_SEED), and everything that can be seen must be the same: mailbox, entries, pads, data, what waits
// for room, what the initiator gets.
//
// Serves the device as a disk until there is FILE, which then holds the path of its /dev/sgN; at the end it
// says "broken" of a ring whose commands wait for a reset, and ends when they have been answered. Exit
// status: 0 if both are the same.

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <scsi/sg.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>

#include "scsi/logical_unit.h"
#include "support/fake_kernel_ring.h"
#include "support/memory_store.h"
#include "support/seed.h"
#include "sys/deadline.h"
#include "tcmu/ring.h"
#include "tcmu/uio.h"

namespace {

using namespace tcmufs;
using namespace std::chrono_literals;
namespace abi = tcmu::abi;

constexpr std::size_t most_outstanding = SG_MAX_QUEUE;
constexpr unsigned queue_at_tail = 0x10;  // SG_FLAG_Q_AT_TAIL of the kernel's <scsi/sg.h>
constexpr unsigned steps_after_wrap = 1000;

void must(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what);
}

template <typename T>
T load(std::span<const std::byte> memory, std::size_t at) {
  T value;
  std::memcpy(&value, memory.data() + at, sizeof value);
  return value;
}

/// A disk, for as long as the kernel makes one of the device.
void serve_until(const std::string& file, tcmu::Uio& uio) {
  test::MemoryStore store(u64{16} << 20);
  scsi::Format format;
  format.size_bytes = store.size_bytes();
  scsi::LogicalUnit unit({}, format);
  tcmu::Ring ring(uio.memory());
  while (!std::filesystem::exists(file)) {
    pollfd waiting{uio.fd(), POLLIN, 0};
    if (::poll(&waiting, 1, 50) == 1) must(uio.acknowledge(), "the device has been removed");
    while (tcmu::RingCommand* taken = ring.take()) {
      const scsi::Command command{taken->cdb_bytes(), taken->buffer};
      auto outcome = unit.start(command);
      const scsi::Response response = std::holds_alternative<scsi::Response>(outcome)
                                          ? std::get<scsi::Response>(outcome)
                                          : unit.execute(std::get<scsi::Plan>(outcome), command, store);
      ring.finish(*taken, {static_cast<u8>(response.status), response.sense.span(), response.data_in_bytes});
    }
    must(!ring.broken(), ring.fault());
    if (ring.commit()) must(uio.notify(), "the device has been removed");
  }
}

/// A command on its way through the sg driver.
struct Sent {
  std::vector<u8> cdb;
  std::vector<u8> data;
  bool in = false;
  std::array<u8, 96> sense{};
  sg_io_hdr header{};
  bool answered = false;
};

struct Entry {
  u32 position = 0;
  u32 serial = 0;
};

class Lockstep {
 public:
  Lockstep(tcmu::Uio& uio, const std::string& sg, u64 seed)
      : uio_(uio),
        real_(uio.memory()),
        sg_(::open(sg.c_str(), O_RDWR)),
        memory_(real_.size()),
        shape_{.cmdr_bytes = load<u32>(real_, offsetof(abi::Mailbox, cmdr_size)),
               .data_blocks =
                   static_cast<u32>((real_.size() - 128 - ring_bytes()) / test::FakeKernelRing::block_bytes),
               .flags = load<u16>(real_, offsetof(abi::Mailbox, flags)),
               .start_bytes = head(),
               .lowest_first = true},
        fake_(memory_.span(), shape_),
        random_(seed),
        seen_(head()) {
    must(sg_ >= 0, "'" + sg + "' cannot be opened");
    must(head() == load<u32>(real_, offsetof(abi::Mailbox, cmd_tail)), "there are commands already");
    must(std::memcmp(real_.data(), memory_.span().data(), 68) == 0, "the mailboxes differ");
    std::cout << shape_.cmdr_bytes << " bytes of ring, " << shape_.data_blocks << " blocks of data\n";
  }

  void run() {
    while (fake_.pads() == 0) step();
    for (unsigned i = 0; i < steps_after_wrap; ++i) step();
    while (!sent_.empty()) answer(static_cast<u32>(ring_.size()));
    std::cout << serial_ << " commands, " << held_before_ << " of which waited for room\n";
    must(held_before_ > 10, "hardly anything has waited for room");
  }

  /// A response with an id that there is not.
  void break_ring() {
    send();
    const std::size_t at = 128 + ring_.front().position + offsetof(abi::EntryHeader, cmd_id);
    for (const auto memory : {real_, memory_.span()}) {
      const u16 id = load<u16>(memory, at) ^ 0x4000;
      std::memcpy(memory.data() + at, &id, sizeof id);
    }
    give_back(end_of(ring_.front()));
    must(fake_.broken(), "the fake has not seen that the ring is broken");
    // The kernel refuses what comes from now on: NOT READY, LOGICAL UNIT COMMUNICATION FAILURE.
    const u32 refused = submit();
    collect(refused);
    const Sent& command = *sent_.at(refused);
    must(command.header.status == 2 && (command.sense[2] & 0xf) == 2 && command.sense[12] == 8,
         "the kernel has not seen that the ring is broken");
    sent_.erase(refused);
    std::cout << "broken" << std::endl;
    collect(ring_.front().serial);
  }

 private:
  u32 pick(u32 below) { return std::uniform_int_distribution<u32>(0, below - 1)(random_); }
  u32 ring_bytes() const { return load<u32>(real_, offsetof(abi::Mailbox, cmdr_size)); }
  u32 head() const {
    const auto* const word = reinterpret_cast<const u32*>(real_.data() + offsetof(abi::Mailbox, cmd_head));
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
  }
  u32 length_at(u32 position) { return load<u32>(memory_.span(), 128 + position) & ~u32{abi::op_mask}; }
  u32 end_of(const Entry& entry) { return (entry.position + length_at(entry.position)) % shape_.cmdr_bytes; }

  /// Makes a command up and gives it to the sg driver; its number.
  u32 submit() {
    auto command = std::make_unique<Sent>();
    constexpr std::array<std::pair<u8, u8>, 6> kinds = {
        {{0x0a, 6}, {0x2a, 10}, {0xaa, 12}, {0x8a, 16}, {0xc1, 10}, {0x7f, 32}}};
    const auto [opcode, length] = kinds[pick(kinds.size())];
    for (u32 i = 0; i < length; ++i) command->cdb.push_back(static_cast<u8>(pick(256)));
    command->cdb[0] = opcode;
    if (opcode == 0x7f) command->cdb[7] = 24;
    command->in = pick(2) == 0;
    constexpr std::array<u32, 4> sizes = {600, 5000, 200'000, 200'000};
    command->data.resize(pick(8) == 0 ? 0 : 1 + pick(sizes[pick(sizes.size())]));
    if (!command->in) fill(command->data);

    sg_io_hdr& header = command->header;
    header.interface_id = 'S';
    header.dxfer_direction = command->data.empty() ? SG_DXFER_NONE
                             : command->in         ? SG_DXFER_FROM_DEV
                                                   : SG_DXFER_TO_DEV;
    header.cmd_len = length;
    header.cmdp = command->cdb.data();
    header.mx_sb_len = static_cast<unsigned char>(command->sense.size());
    header.sbp = command->sense.data();
    header.dxfer_len = static_cast<unsigned>(command->data.size());
    header.dxferp = command->data.data();
    header.timeout = 600'000;
    header.flags = queue_at_tail;
    header.pack_id = static_cast<int>(++serial_);
    must(::write(sg_, &header, sizeof header) == sizeof header, "the sg driver takes no command");
    sent_.emplace(serial_, std::move(command));
    return serial_;
  }

  void step() {
    if (pick(8) != 0 && sent_.size() < most_outstanding) {
      send();
    } else {
      answer(pick(static_cast<u32>(ring_.size()) + 1));
    }
  }

  void send() {
    const u32 serial = submit();
    held_.push_back(serial);
    if (held_.size() > 1 || !queue_held()) {
      ++held_before_;
      std::this_thread::sleep_for(5ms);
    }
    compare();
  }

  /// In the fake, as the kernel does it: in order, until one finds no room.
  bool queue_held() {
    while (!held_.empty()) {
      const Sent& command = *sent_.at(held_.front());
      const auto id = command.in ? fake_.queue(command.cdb, {}, command.data.size())
                                 : fake_.queue(command.cdb, command.data);
      if (!id) return false;
      ring_.push_back({static_cast<u32>(fake_.last_entry() - 128), held_.front()});
      ids_.emplace(*id, held_.front());
      held_.pop_front();
    }
    return true;
  }

  /// The kernel's head comes where the fake's is, and what lies before it is the same.
  void compare() {
    for (int i = 0; head() != fake_.head() && i < 5000; ++i) std::this_thread::sleep_for(1ms);
    must(head() == fake_.head(), "the kernel's head is at " + std::to_string(head()) + ", the fake's at " +
                                     std::to_string(fake_.head()));
    while (seen_ != fake_.head()) {
      const bool pad = (load<u32>(memory_.span(), 128 + seen_) & abi::op_mask) == abi::op_pad;
      compare_entry(128 + seen_, pad);
      seen_ = (seen_ + length_at(seen_)) % shape_.cmdr_bytes;
    }
  }

  void compare_entry(std::size_t at, bool pad) {
    const u32 length = length_at(static_cast<u32>(at - 128));
    const std::string where = "the entries at " + std::to_string(at - 128) + " differ";
    must(load<u32>(real_, at) == load<u32>(memory_.span(), at), where + " in length");
    if (pad) return;
    must(std::memcmp(real_.data() + at + 6, memory_.span().data() + at + 6, length - 6) == 0, where);
    const u32 pieces = load<u32>(real_, at + offsetof(abi::Request, iov_cnt));
    for (u32 i = 0; i < pieces; ++i) {
      const auto piece = load<abi::DataPiece>(real_, at + sizeof(abi::Request) + i * sizeof(abi::DataPiece));
      const Sent& command = *sent_.at(serial_at(static_cast<u32>(at - 128)));
      if (command.in) continue;
      must(std::memcmp(real_.data() + piece.offset, memory_.span().data() + piece.offset,
                       piece.length_bytes) == 0,
           where + " in data-out");
    }
  }
  u32 serial_at(u32 position) const {
    for (const Entry& entry : ring_) {
      if (entry.position == position) return entry.serial;
    }
    throw std::runtime_error("there is no entry at " + std::to_string(position));
  }

  void fill(std::span<u8> bytes) {
    for (u8& byte : bytes) byte = static_cast<u8>(random_());
  }

  /// Both get the same responses to the first `count` commands in the ring.
  void answer(u32 count) {
    if (count == 0) return;
    for (u32 i = 0; i < count; ++i) respond(ring_[i]);
    give_back(end_of(ring_[count - 1]));
    must(!fake_.broken(), fake_.complaint());
    ring_.erase(ring_.begin(), ring_.begin() + count);
    std::map<u32, test::FakeKernelRing::Completion> expected;  // by number
    for (auto& completion : fake_.completions()) {
      const auto id = ids_.extract(completion.id);
      expected.emplace(id.mapped(), std::move(completion));
    }
    queue_held();
    compare();
    for (const auto& [serial, completion] : expected) {
      collect(serial);
      compare_completion(*sent_.at(serial), completion);
      sent_.erase(serial);
    }
  }

  void respond(const Entry& entry) {
    const std::size_t at = 128 + entry.position;
    const Sent& command = *sent_.at(entry.serial);
    constexpr std::array<u8, 4> statuses = {0x00, 0x00, 0x02, 0x18};  // none that anybody would repeat
    abi::Response response{};
    std::memcpy(&response, real_.data() + at, sizeof response.hdr);
    response.scsi_status = statuses[pick(statuses.size())];
    response.unused_1 = 0;
    if (pick(2) == 0) response.hdr.uflags |= abi::uflag_read_len;
    response.read_len = pick(4) == 0 ? pick(200'000) : pick(static_cast<u32>(command.data.size()) + 1);
    fill(response.sense_buffer);
    response.sense_buffer[0] = 0x70;
    response.sense_buffer[2] = pick(2) == 0 ? 0x05 : 0x03;
    response.sense_buffer[7] = 88;
    const u32 pieces = load<u32>(real_, at + offsetof(abi::Request, iov_cnt));
    for (u32 i = 0; command.in && i < pieces; ++i) {
      const auto piece = load<abi::DataPiece>(real_, at + sizeof(abi::Request) + i * sizeof(abi::DataPiece));
      std::vector<u8> bytes(piece.length_bytes);
      fill(bytes);
      for (const auto memory : {real_, memory_.span()})
        std::memcpy(memory.data() + piece.offset, bytes.data(), bytes.size());
    }
    for (const auto memory : {real_, memory_.span()}) {
      response.hdr.cmd_id = load<u16>(memory, at + offsetof(abi::EntryHeader, cmd_id));
      std::memcpy(memory.data() + at, &response, sizeof response);
    }
  }

  void give_back(u32 tail) {
    for (const auto memory : {real_, memory_.span()}) {
      auto* const word = reinterpret_cast<u32*>(memory.data() + offsetof(abi::Mailbox, cmd_tail));
      __atomic_store_n(word, tail, __ATOMIC_RELEASE);
    }
    fake_.notify();
    must(uio_.notify(), "the device has been removed");
  }

  /// Returns when the initiator has the answer to this command.
  void collect(u32 serial) {
    while (!sent_.at(serial)->answered) {
      pollfd waiting{sg_, POLLIN, 0};
      must(::poll(&waiting, 1, 60'000) == 1, "command " + std::to_string(serial) + " is not answered");
      sg_io_hdr header{};
      header.interface_id = 'S';
      header.pack_id = -1;
      must(::read(sg_, &header, sizeof header) == sizeof header, "the sg driver gives no answer");
      Sent& command = *sent_.at(static_cast<u32>(header.pack_id));
      command.header = header;
      command.answered = true;
    }
  }

  static void compare_completion(const Sent& command, const test::FakeKernelRing::Completion& expected) {
    const sg_io_hdr& header = command.header;
    const std::string what = "command " + std::to_string(header.pack_id) + " (" +
                             std::to_string(command.data.size()) + (command.in ? " bytes in" : " bytes out") +
                             ", status " + std::to_string(expected.status) + "): ";
    must(header.status == expected.status,
         what + "the initiator gets status " + std::to_string(header.status));
    must(static_cast<std::size_t>(header.resid) == expected.residual,
         what + "its residual is " + std::to_string(header.resid) + ", the fake's " +
             std::to_string(expected.residual));
    if (!expected.sense.empty()) {
      must(header.sb_len_wr >= 18 &&
               std::memcmp(command.sense.data(), expected.sense.data(), header.sb_len_wr) == 0,
           what + "its sense differs");
    }
    if (command.in) {
      must(std::memcmp(command.data.data(), expected.data_in.data(), expected.data_in.size()) == 0,
           what + "its data differ");
    }
  }

  tcmu::Uio& uio_;
  std::span<std::byte> real_;
  int sg_;
  test::RingBytes memory_;
  test::FakeKernelRing::Shape shape_;
  test::FakeKernelRing fake_;
  std::mt19937_64 random_;
  u32 seen_;
  u32 serial_ = 0;
  u64 held_before_ = 0;
  std::map<u32, std::unique_ptr<Sent>> sent_;  // by number, until it is answered
  std::map<u16, u32> ids_;                     // of the fake: which command
  std::deque<Entry> ring_;                     // in the ring, not answered
  std::deque<u32> held_;                       // for want of room, in order
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const u64 seed = test::seed();
    std::cout << "TCMUFS_SEED=" << seed << "\n";
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    must(::sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
    tcmu::Uio uio(argv[1], Deadline::after(10s));
    serve_until(argv[2], uio);
    std::string sg;
    std::getline(std::ifstream(argv[2]) >> std::ws, sg);
    Lockstep lockstep(uio, sg, seed);
    lockstep.run();
    lockstep.break_ring();
    return 0;
  } catch (const std::exception& error) {
    std::cout << "ring_lockstep: " << error.what() << "\n";
    return 1;
  }
}
