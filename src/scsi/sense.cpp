#include "scsi/sense.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "scsi/wire.h"
#include "sys/big_endian.h"

namespace tcmufs::scsi {

namespace {

constexpr u8 information_valid = 0x80;

struct KeySpecific {  // SPC-4, field pointer sense key specific data
  u8 flags = 0;
  Be16 field;
};

KeySpecific key_specific(const std::optional<FieldPointer>& field) {
  if (!field) return {};
  constexpr u8 sksv = 0x80, command_data = 0x40, bit_pointer_valid = 0x08;
  u8 flags = sksv;
  if (field->in_cdb) flags = bits(flags | command_data);
  if (field->bit) flags = bits(flags | bit_pointer_valid | *field->bit);
  return {flags, field->byte};
}

struct FixedSense {
  u8 response_code = 0x70;
  u8 segment = 0;
  u8 key = 0;
  Be32 information;
  u8 additional_length = 10;
  Be32 command_specific;
  u8 code = 0;
  u8 qualifier = 0;
  u8 unit_code = 0;
  KeySpecific specific;
};
static_assert(sizeof(FixedSense) == 18);

struct DescriptorHeader {
  u8 response_code = 0x72;
  u8 key = 0;
  u8 code = 0;
  u8 qualifier = 0;
  std::array<u8, 3> reserved{};
  u8 additional_length = 0;
};
static_assert(sizeof(DescriptorHeader) == 8);

struct InformationDescriptor {
  u8 type = 0x00;
  u8 additional_length = 0x0a;
  u8 flags = information_valid;
  u8 reserved = 0;
  Be64 information;
};
static_assert(sizeof(InformationDescriptor) == 12);

struct KeySpecificDescriptor {
  u8 type = 0x02;
  u8 additional_length = 0x06;
  std::array<u8, 2> reserved{};
  KeySpecific specific;
  u8 reserved_too = 0;
};
static_assert(sizeof(KeySpecificDescriptor) == 8);

template <typename Part>
void append(SenseBytes& sense, const Part& part) {
  const auto bytes = bytes_of(part);
  std::copy(bytes.begin(), bytes.end(), sense.bytes.begin() + sense.length);
  sense.length = bits(sense.length + bytes.size());
}

SenseBytes encode_fixed(const Sense& sense) {
  FixedSense fixed;
  fixed.key = sense.key;
  fixed.code = sense.code;
  fixed.qualifier = sense.qualifier;
  fixed.specific = key_specific(sense.field);
  if (sense.information && *sense.information <= std::numeric_limits<u32>::max()) {
    fixed.response_code |= information_valid;
    fixed.information = static_cast<u32>(*sense.information);
  }
  SenseBytes result;
  append(result, fixed);
  return result;
}

SenseBytes encode_descriptors(const Sense& sense) {
  DescriptorHeader header;
  header.key = sense.key;
  header.code = sense.code;
  header.qualifier = sense.qualifier;
  SenseBytes result;
  append(result, header);
  if (sense.information) {
    InformationDescriptor information;
    information.information = *sense.information;
    append(result, information);
  }
  if (sense.field) {
    KeySpecificDescriptor specific;
    specific.specific = key_specific(sense.field);
    append(result, specific);
  }
  result.bytes[7] = bits(result.length - sizeof(DescriptorHeader));
  return result;
}

}  // namespace

Sense sense_of(std::error_code error, Direction direction) noexcept {
  switch (error.value()) {
    case EIO:
      return direction == Direction::reading ? sense::unrecovered_read_error : sense::write_error;
    case ENOSPC:
    case EDQUOT:
      return sense::space_allocation_failed;
    case EROFS:
      return sense::write_protected;
    case EAGAIN:
    case ENOMEM:
      return sense::aborted;
    default:
      return sense::internal_target_failure;
  }
}

SenseBytes encode(const Sense& sense, SenseFormat format) noexcept {
  return format == SenseFormat::fixed ? encode_fixed(sense) : encode_descriptors(sense);
}

}  // namespace tcmufs::scsi
