#include "sys/mapping.h"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

#include "sys/error.h"

namespace tcmufs {

Mapping::Mapping(int fd, std::size_t length_bytes, const std::string& shown) {
  // In two steps: a process that locks its memory would touch every page at once, also those that a device
  // has not filled.
  void* address = ::mmap(nullptr, length_bytes, PROT_NONE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) throw_errno("cannot map " + quoted(shown));
  bytes_ = {static_cast<std::byte*>(address), length_bytes};
  if (::mprotect(address, length_bytes, PROT_READ | PROT_WRITE) != 0) {
    const int reason = errno;
    reset();
    throw Failure(reason, "cannot map " + quoted(shown) + " for writing");
  }
}

Mapping::Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    reset();
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

void Mapping::reset() noexcept {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  bytes_ = {};
}

}  // namespace tcmufs
