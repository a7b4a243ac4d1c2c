#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace tcmufs {

/// Owns one shared read-write memory mapping of a file. Not thread-safe.
class Mapping {
 public:
  Mapping() = default;
  /// Maps `length_bytes` from the start of `fd`; `shown` names it in the error's sentence.
  Mapping(int fd, std::size_t length_bytes, const std::string& shown);
  ~Mapping() { reset(); }
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<std::byte> bytes() const noexcept { return bytes_; }
  void reset() noexcept;

 private:
  std::span<std::byte> bytes_;
};

}  // namespace tcmufs
