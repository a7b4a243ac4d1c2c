#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "sys/integers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tcmufs::fuzz {

/// The bytes that a fuzzer has made, taken from the front; zeros when there are no more.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  u8 byte() { return empty() ? u8{0} : *at_++; }
  u16 number() {
    const u8 high = byte();
    return static_cast<u16>(high << 8 | byte());
  }
  /// At most so many.
  std::vector<u8> bytes(std::size_t count) {
    const auto* from = at_;
    at_ += std::min<std::size_t>(count, static_cast<std::size_t>(end_ - at_));
    return {from, at_};
  }
  std::string rest() {
    const std::string text(at_, end_);
    at_ = end_;
    return text;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

/// What must hold of every input.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << '\n';
  std::abort();
}

}  // namespace tcmufs::fuzz
