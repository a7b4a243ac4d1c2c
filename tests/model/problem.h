#pragma once

#include <optional>

#include "bytes.h"

namespace tcmufs::model {

/// Why a command ends with CHECK CONDITION.
struct Problem {
  struct Pointer {
    bool in_cdb;  // or in the parameter list
    unsigned byte;
    int bit = -1;  // -1: the whole byte
  };

  u8 key = 0;
  u8 code = 0;
  u8 qualifier = 0;
  std::optional<u64> information = {};
  std::optional<Pointer> pointer = {};

  Problem with(u64 value) const {
    Problem result = *this;
    result.information = value;
    return result;
  }
};

namespace problem {

inline constexpr Problem nothing{0x0, 0x00, 0x00};
inline constexpr Problem not_started{0x2, 0x04, 0x02};
inline constexpr Problem write_error{0x3, 0x0c, 0x00};
inline constexpr Problem read_error{0x3, 0x11, 0x00};
inline constexpr Problem internal_failure{0x4, 0x44, 0x00};
inline constexpr Problem list_length{0x5, 0x1a, 0x00};
inline constexpr Problem opcode{0x5, 0x20, 0x00};
inline constexpr Problem out_of_range{0x5, 0x21, 0x00};
inline constexpr Problem field_in_cdb{0x5, 0x24, 0x00};
inline constexpr Problem field_in_list{0x5, 0x26, 0x00};
inline constexpr Problem saving{0x5, 0x39, 0x00};
inline constexpr Problem inquiry_changed{0x6, 0x3f, 0x03};
inline constexpr Problem aborted{0xb, 0x00, 0x00};
inline constexpr Problem modes_changed{0x6, 0x2a, 0x01};
inline constexpr Problem capacity_changed{0x6, 0x2a, 0x09};
inline constexpr Problem write_protected{0x7, 0x27, 0x00};
inline constexpr Problem software_write_protected{0x7, 0x27, 0x02};
inline constexpr Problem no_space{0x7, 0x27, 0x07};
inline constexpr Problem miscompare{0xe, 0x1d, 0x00};

Problem cdb(unsigned byte, int bit = -1);
Problem list(std::size_t byte);

}  // namespace problem

/// Sense data, SPC-4 4.5: 18 bytes in the fixed format, or with descriptors.
Bytes encoded(const Problem& problem, bool descriptors);

}  // namespace tcmufs::model
