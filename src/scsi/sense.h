#pragma once

#include <optional>
#include <system_error>

#include "scsi/outcome.h"
#include "sys/integers.h"

namespace tcmufs::scsi {

/// Which field was wrong (SPC-4, field pointer sense key specific data).
struct FieldPointer {
  bool in_cdb;  // or in the parameter list
  u16 byte;
  std::optional<u8> bit;  // its most significant one, 7 to 0
};

/// Why a command ended with CHECK CONDITION.
struct Sense {
  u8 key = 0;
  u8 code = 0;       // ADDITIONAL SENSE CODE
  u8 qualifier = 0;  // ADDITIONAL SENSE CODE QUALIFIER
  std::optional<u64> information;
  std::optional<FieldPointer> field;

  constexpr Sense with_information(u64 value) const {
    Sense result = *this;
    result.information = value;
    return result;
  }
  constexpr Sense at(FieldPointer pointer) const {
    Sense result = *this;
    result.field = pointer;
    return result;
  }
};

namespace sense {

inline constexpr Sense no_sense{0x0, 0x00, 0x00, {}, {}};
inline constexpr Sense initializing_command_required{0x2, 0x04, 0x02, {}, {}};
inline constexpr Sense write_error{0x3, 0x0c, 0x00, {}, {}};
inline constexpr Sense unrecovered_read_error{0x3, 0x11, 0x00, {}, {}};
inline constexpr Sense internal_target_failure{0x4, 0x44, 0x00, {}, {}};
inline constexpr Sense parameter_list_length_error{0x5, 0x1a, 0x00, {}, {}};
inline constexpr Sense invalid_operation_code{0x5, 0x20, 0x00, {}, {}};
inline constexpr Sense lba_out_of_range{0x5, 0x21, 0x00, {}, {}};
inline constexpr Sense invalid_field_in_cdb{0x5, 0x24, 0x00, {}, {}};
inline constexpr Sense invalid_field_in_parameter_list{0x5, 0x26, 0x00, {}, {}};
inline constexpr Sense saving_parameters_not_supported{0x5, 0x39, 0x00, {}, {}};
inline constexpr Sense mode_parameters_changed{0x6, 0x2a, 0x01, {}, {}};
inline constexpr Sense capacity_data_has_changed{0x6, 0x2a, 0x09, {}, {}};
inline constexpr Sense inquiry_data_has_changed{0x6, 0x3f, 0x03, {}, {}};
inline constexpr Sense write_protected{0x7, 0x27, 0x00, {}, {}};
inline constexpr Sense software_write_protected{0x7, 0x27, 0x02, {}, {}};
inline constexpr Sense space_allocation_failed{0x7, 0x27, 0x07, {}, {}};
inline constexpr Sense aborted{0xb, 0x00, 0x00, {}, {}};  // to be tried again
inline constexpr Sense miscompare_during_verify{0xe, 0x1d, 0x00, {}, {}};

constexpr Sense invalid_cdb_field(u16 byte, std::optional<u8> bit = {}) {
  return invalid_field_in_cdb.at({true, byte, bit});
}
constexpr Sense invalid_parameter(u16 byte, std::optional<u8> bit = {}) {
  return invalid_field_in_parameter_list.at({false, byte, bit});
}

}  // namespace sense

enum class Direction : u8 { reading, writing };

/// What an error of the store means to the initiator.
Sense sense_of(std::error_code error, Direction direction) noexcept;

enum class SenseFormat : u8 { fixed, descriptor };

/// As it travels: fixed format, 18 bytes, or descriptor format. An INFORMATION that does not fit into
/// the fixed format is left out.
SenseBytes encode(const Sense& sense, SenseFormat format) noexcept;

}  // namespace tcmufs::scsi
