#include "tcmufs/block_store.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "tcmufs/error.h"

TCMUFS_BEGIN

namespace {

constexpr std::uint64_t zeros_at_once = std::uint64_t{256} << 10;

}  // namespace

BlockStore::~BlockStore() = default;

bool BlockStore::has_write_cache() const {
  return false;
}

void BlockStore::flush() {
  throw Error(ENOTSUP, "a store that says that it has a write cache must have flush()");
}

bool BlockStore::can_discard() const {
  return false;
}

void BlockStore::discard(std::uint64_t offset, std::uint64_t length) {
  zero(offset, length);
}

void BlockStore::zero(std::uint64_t offset, std::uint64_t length) {
  const std::vector<std::byte> zeros(std::min(length, zeros_at_once));
  while (length > 0) {
    const std::uint64_t piece = std::min<std::uint64_t>(length, zeros.size());
    write(offset, std::span(zeros).first(piece));
    offset += piece;
    length -= piece;
  }
}

std::uint64_t BlockStore::size() const {
  return 0;
}

void BlockStore::resize(std::uint64_t) {
  throw Error(ENOTSUP, "the size of this store cannot be changed");
}

TCMUFS_END
