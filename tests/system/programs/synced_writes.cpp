// Writes numbers to a disk and says which of them are safe; looks, after the power has failed, whether they
// are.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace {

constexpr const char* usage =
    "usage: synced_writes write DISK LOG WAY    until it is killed\n"
    "       synced_writes check DISK LOG\n"
    "WAY: fdatasync (several blocks, then one flush), dsync (O_DSYNC), direct (O_DIRECT and O_DSYNC).\n"
    "Block N holds numbers that leave the remainder N; LOG has a line for every number that is safe.\n";

constexpr std::size_t block_bytes = 4096;
constexpr std::uint64_t blocks = 512;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using Block = std::unique_ptr<std::uint64_t[], Free>;

Block new_block() {
  return Block(static_cast<std::uint64_t*>(std::aligned_alloc(block_bytes, block_bytes)));
}

/// Its number in every word, so that a torn block shows.
void fill(std::uint64_t* block, std::uint64_t number) {
  std::fill_n(block, block_bytes / sizeof number, number);
}

off_t place(std::uint64_t number) {
  return static_cast<off_t>(number % blocks * block_bytes);
}

[[noreturn]] void write_numbers(const char* disk, const char* log, const std::string& way) {
  const int flags = way == "dsync" ? O_DSYNC : way == "direct" ? O_DIRECT | O_DSYNC : 0;
  const int file = open(disk, O_WRONLY | O_CLOEXEC | flags);
  const int safe = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0 || safe < 0) fail("cannot open");
  const Block block = new_block();
  const std::uint64_t at_once = way == "fdatasync" ? 16 : 1;
  for (std::uint64_t number = 1;; number += at_once) {
    std::string line;
    for (std::uint64_t each = number; each < number + at_once; ++each) {
      // Not one after the other, but each block once before any comes again.
      const std::uint64_t shuffled = each / blocks * blocks + each * 37 % blocks;
      fill(block.get(), shuffled);
      if (pwrite(file, block.get(), block_bytes, place(shuffled)) != ssize_t{block_bytes})
        fail("cannot write");
      line += std::to_string(shuffled) + '\n';
    }
    if (way == "fdatasync" && fdatasync(file) != 0) fail("cannot flush");
    if (write(safe, line.data(), line.size()) != static_cast<ssize_t>(line.size())) fail("cannot log");
  }
}

int check(const char* disk, const char* log) {
  std::map<std::uint64_t, std::uint64_t> last;  // by block
  std::ifstream lines(log);
  std::uint64_t count = 0;
  for (std::uint64_t number = 0; lines >> number; ++count) {
    auto& latest = last[number % blocks];
    latest = std::max(latest, number);
  }
  const int file = open(disk, O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("cannot open");
  const Block block = new_block();
  int wrong = 0;
  for (const auto& [index, number] : last) {
    if (pread(file, block.get(), block_bytes, place(index)) != ssize_t{block_bytes}) fail("cannot read");
    const std::uint64_t found = block[0];
    const bool torn = !std::all_of(block.get(), block.get() + block_bytes / sizeof found,
                                   [&](std::uint64_t word) { return word == found; });
    if (found >= number && found % blocks == index && !torn) continue;
    std::cerr << "block " << index << " holds " << found << (torn ? ", torn" : "") << "; " << number
              << " was said to be safe\n";
    ++wrong;
  }
  std::cout << count << " writes were safe, in " << last.size() << " blocks; " << wrong << " are not there\n";
  return count > 0 && wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  try {
    if (verb == "write" && argc == 5) write_numbers(argv[2], argv[3], argv[4]);
    if (verb == "check" && argc == 4) return check(argv[2], argv[3]);
  } catch (const std::exception& error) {
    std::cerr << "synced_writes: " << error.what() << '\n';
    return 1;
  }
  std::cerr << usage;
  return 2;
}
