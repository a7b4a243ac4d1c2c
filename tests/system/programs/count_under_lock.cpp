// Threads that count up in one block of a disk, each time holding a lock that is another block: taken and
// given back by COMPARE AND WRITE. What they say to the disk goes through SG_IO, so that no cache is in
// between.

#include <fcntl.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr const char* usage =
    "usage: count_under_lock DEVICE              prints what the counter is\n"
    "       count_under_lock DEVICE TIMES        counts up, in 8 threads together so many times\n"
    "DEVICE is /dev/sdX or /dev/sgN. Overwrites the blocks 0 (the lock) and 1 (the counter).\n";

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t lock_block = 0, counter_block = 1;
constexpr unsigned thread_count = 8;

class Disk {
 public:
  explicit Disk(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error("cannot open " + path + ": " + std::strerror(errno));
    Bytes capacity(8);
    must(send({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, SG_DXFER_FROM_DEV, capacity), "READ CAPACITY");
    block_bytes_ = std::size_t{capacity[6]} << 8 | capacity[7];
  }
  ~Disk() { ::close(fd_); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  Bytes zeros() const { return Bytes(block_bytes_); }
  Bytes read(std::uint8_t lba) {
    Bytes block = zeros();
    must(send({0x28, 0, 0, 0, 0, lba, 0, 0, 1, 0}, SG_DXFER_FROM_DEV, block), "READ");
    return block;
  }
  void write(std::uint8_t lba, Bytes block) {
    must(send({0x2a, 0, 0, 0, 0, lba, 0, 0, 1, 0}, SG_DXFER_TO_DEV, block), "WRITE");
  }
  enum class Exchange { done, something_else_is_there, unknown };

  Exchange compare_and_write(std::uint8_t lba, const Bytes& expected, const Bytes& wanted) {
    Bytes both = expected;
    both.insert(both.end(), wanted.begin(), wanted.end());
    const Outcome outcome = send({compare_and_write_opcode, 0, 0, 0, 0, 0, 0, 0, 0, lba, 0, 0, 0, 1, 0, 0},
                                 SG_DXFER_TO_DEV, both);
    constexpr unsigned miscompare = 0x0e;
    if (outcome.status != 0 && outcome.sense_key == miscompare) return Exchange::something_else_is_there;
    // Whoever died over it may have done it.
    if (outcome.status != 0 && outcome.sense_key == aborted_command) return Exchange::unknown;
    must(outcome, "COMPARE AND WRITE");
    return Exchange::done;
  }

 private:
  static constexpr unsigned aborted_command = 0x0b;
  static constexpr std::uint8_t compare_and_write_opcode = 0x89;

  struct Outcome {
    unsigned status;
    unsigned sense_key;
  };

  static void must(const Outcome& outcome, const char* what) {
    if (outcome.status == 0) return;
    throw std::runtime_error(std::string(what) + " ended with status " + std::to_string(outcome.status) +
                             ", sense key " + std::to_string(outcome.sense_key));
  }

  /// Comes back when the disk has answered to the command itself. What was aborted is done once more, where
  /// that makes no difference.
  Outcome send(Bytes cdb, int direction, Bytes& data) {
    constexpr unsigned check_condition = 0x02, busy = 0x08, task_set_full = 0x28, unit_attention = 0x06;
    const bool repeatable = cdb[0] != compare_and_write_opcode;
    for (;;) {
      std::array<std::uint8_t, 32> sense{};
      sg_io_hdr header{};
      header.interface_id = 'S';
      header.cmdp = cdb.data();
      header.cmd_len = static_cast<unsigned char>(cdb.size());
      header.dxfer_direction = direction;
      header.dxferp = data.data();
      header.dxfer_len = static_cast<unsigned>(data.size());
      header.sbp = sense.data();
      header.mx_sb_len = sense.size();
      header.timeout = 600000;
      if (::ioctl(fd_, SG_IO, &header) != 0)
        throw std::runtime_error(std::string("SG_IO: ") + std::strerror(errno));
      if (header.host_status != 0) {
        throw std::runtime_error("SG_IO ended with host status " + std::to_string(header.host_status));
      }
      const unsigned key = (sense[0] & 0x7f) == 0x72 ? sense[1] & 0x0f : sense[2] & 0x0f;
      const bool again = header.status == busy || header.status == task_set_full ||
                         (header.status == check_condition &&
                          (key == unit_attention || (key == aborted_command && repeatable)));
      if (!again) return {header.status, key};
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  int fd_;
  std::size_t block_bytes_ = 512;
};

std::uint64_t value_of(const Bytes& block) {
  std::uint64_t value = 0;
  std::memcpy(&value, block.data(), sizeof value);
  return value;
}

/// One thread's lock: a block that nobody else has.
class Lock {
 public:
  Lock(Disk& disk, unsigned thread) : disk_(disk), mine_(disk.zeros()), random_(std::random_device()()) {
    const std::string name = std::to_string(::getpid()) + "/" + std::to_string(thread);
    std::memcpy(mine_.data(), name.data(), name.size());
  }
  void take() {
    // As long as somebody else has it, sleep: the longer, the more often it was in vain.
    for (unsigned most_us = 200; !taken();) {
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % most_us));
      most_us = std::min(most_us * 2, 100000u);
    }
  }
  void give_back() {
    for (;;) {
      const auto exchange = disk_.compare_and_write(lock_block, mine_, disk_.zeros());
      if (exchange == Disk::Exchange::something_else_is_there)
        throw std::runtime_error("the lock was taken away");
      if (exchange == Disk::Exchange::done || !is_mine()) return;
    }
  }

 private:
  bool is_mine() { return disk_.read(lock_block) == mine_; }
  bool taken() {
    const auto exchange = disk_.compare_and_write(lock_block, disk_.zeros(), mine_);
    return exchange == Disk::Exchange::unknown ? is_mine() : exchange == Disk::Exchange::done;
  }

  Disk& disk_;
  Bytes mine_;
  std::minstd_rand random_;
};

void count(const std::string& device, unsigned thread, std::atomic<long>& left) {
  Disk disk(device);
  Lock lock(disk, thread);
  while (left-- > 0) {
    lock.take();
    Bytes counter = disk.read(counter_block);
    const std::uint64_t next = value_of(counter) + 1;
    std::memcpy(counter.data(), &next, sizeof next);
    disk.write(counter_block, counter);
    lock.give_back();
  }
}

int count_in_threads(const std::string& device, long times) {
  std::atomic<long> left = times;
  std::atomic<bool> failed = false;
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < thread_count; ++i) {
    threads.emplace_back([&, i] {
      try {
        count(device, i, left);
      } catch (const std::exception& error) {
        std::cerr << "count_under_lock: " << device << ": " << error.what() << std::endl;
        failed = true;
        left = 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cout << device << ": " << times << " times in " << seconds.count() << " s" << std::endl;
  return failed ? 1 : 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  const long times = argument_count == 3 ? std::strtol(arguments[2], nullptr, 10) : 0;
  if (argument_count < 2 || argument_count > 3 || (argument_count == 3 && times <= 0)) {
    std::cerr << usage;
    return 2;
  }
  try {
    if (argument_count == 3) return count_in_threads(arguments[1], times);
    std::cout << value_of(Disk(arguments[1]).read(counter_block)) << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "count_under_lock: " << error.what() << std::endl;
    return 1;
  }
}
