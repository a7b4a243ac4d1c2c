#include "tcmufs/async_block_store.h"

#include <cerrno>

#include "device/completion.h"
#include "device/errors.h"
#include "tcmufs/error.h"

TCMUFS_BEGIN

Completion::~Completion() {
  (*this)({EIO, std::generic_category()});
}

void Completion::operator()(std::error_code error) noexcept {
  if (error) error = device::errno_of(error);
  if (Operation* operation = std::exchange(operation_, nullptr)) operation->ended(error);
}

AsyncBlockStore::~AsyncBlockStore() = default;

bool AsyncBlockStore::has_write_cache() const {
  return false;
}

void AsyncBlockStore::flush(Completion) {
  throw Error(ENOTSUP, "a store that says that it has a write cache must have flush()");
}

bool AsyncBlockStore::can_discard() const {
  return false;
}

void AsyncBlockStore::discard(std::uint64_t, std::uint64_t, Completion) {
  throw Error(ENOTSUP, "a store that says that it can discard must have discard()");
}

std::uint64_t AsyncBlockStore::size() const {
  return 0;
}

void AsyncBlockStore::resize(std::uint64_t) {
  throw Error(ENOTSUP, "the size of this store cannot be changed");
}

TCMUFS_END
