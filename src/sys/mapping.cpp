#include "sys/mapping.h"

#include <sys/mman.h>

#include <utility>

#include "sys/error.h"

namespace tcmufs {

Mapping::Mapping(int fd, std::size_t length_bytes, const std::string& shown) {
  void* address = ::mmap(nullptr, length_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) throw_errno("cannot map " + quoted(shown));
  bytes_ = {static_cast<std::byte*>(address), length_bytes};
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
