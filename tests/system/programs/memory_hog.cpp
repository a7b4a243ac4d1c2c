// Uses more memory than there is: fills it, page by page, and looks whether it still holds what was put
// there.

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <system_error>

namespace {

constexpr const char* usage =
    "usage: memory_hog MIB ROUNDS\n"
    "Exit status: 0 if in every round every page held what it should, 1 if not.\n";

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t words = page_bytes / sizeof(std::uint64_t);

std::uint64_t word(std::size_t page, std::size_t at, std::uint64_t round) {
  return (page * words + at + 1) * 0x9e3779b97f4a7c15 + round;
}

void fill(std::uint64_t* memory, std::size_t pages, std::uint64_t round) {
  for (std::size_t page = 0; page < pages; ++page) {
    for (std::size_t at = 0; at < words; at += 8) memory[page * words + at] = word(page, at, round);
  }
}

std::size_t wrong_pages(const std::uint64_t* memory, std::size_t pages, std::uint64_t round) {
  std::size_t wrong = 0;
  for (std::size_t page = 0; page < pages; ++page) {
    for (std::size_t at = 0; at < words; at += 8) {
      if (memory[page * words + at] == word(page, at, round)) continue;
      ++wrong;
      break;
    }
  }
  return wrong;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << usage;
    return 2;
  }
  const std::size_t bytes = std::stoul(argv[1]) << 20;
  const std::size_t pages = bytes / page_bytes;
  const auto rounds = std::stoul(argv[2]);
  void* const mapped =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  auto* const memory = static_cast<std::uint64_t*>(mapped);
  std::size_t wrong = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    fill(memory, pages, round);
    wrong += wrong_pages(memory, pages, round);
  }
  std::cout << rounds << " times " << pages << " pages, " << wrong << " of them wrong\n";
  return wrong == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "memory_hog: " << error.what() << '\n';
  return 2;
}
