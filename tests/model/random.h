#pragma once

#include <span>

#include "bytes.h"

namespace tcmufs::model {

/// The same numbers from the same seed, everywhere (splitmix64).
class Random {
 public:
  explicit Random(u64 seed) : state_(seed) {}

  u64 next() {
    u64 z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  u64 below(u64 limit) { return next() % limit; }
  u64 between(u64 first, u64 last) { return first + below(last - first + 1); }
  bool one_in(u64 n) { return below(n) == 0; }
  u8 byte() { return static_cast<u8>(next()); }
  template <typename Choices>
  auto one_of(const Choices& choices) {
    return choices[below(choices.size())];
  }

 private:
  u64 state_;
};

}  // namespace tcmufs::model
