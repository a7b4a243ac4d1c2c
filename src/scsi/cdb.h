#pragma once

#include <array>
#include <span>

#include "scsi/wire.h"
#include "sys/big_endian.h"
#include "sys/integers.h"

namespace tcmufs::scsi {

/// READ(6), WRITE(6). The table keeps the three bits above the address zero.
struct Cdb6 {
  u8 opcode;
  Be24 lba;
  u8 length;
  u8 control;
};
static_assert(sizeof(Cdb6) == 6);

/// READ, WRITE, VERIFY, WRITE AND VERIFY, PRE-FETCH, SYNCHRONIZE CACHE and WRITE SAME in 10 bytes.
struct Cdb10 {
  u8 opcode;
  u8 flags;
  Be32 lba;
  u8 group;
  Be16 length;
  u8 control;
};
static_assert(sizeof(Cdb10) == 10);

/// READ, WRITE, VERIFY and WRITE AND VERIFY in 12 bytes.
struct Cdb12 {
  u8 opcode;
  u8 flags;
  Be32 lba;
  Be32 length;
  u8 group;
  u8 control;
};
static_assert(sizeof(Cdb12) == 12);

/// READ, WRITE, VERIFY, WRITE AND VERIFY, ORWRITE, PRE-FETCH, SYNCHRONIZE CACHE and WRITE SAME in 16 bytes.
struct Cdb16 {
  u8 opcode;
  u8 flags;
  Be64 lba;
  Be32 length;
  u8 group;
  u8 control;
};
static_assert(sizeof(Cdb16) == 16);

struct InquiryCdb {  // SPC-4 6.6
  u8 opcode;
  u8 flags;
  u8 page_code;
  Be16 allocation_length;
  u8 control;

  bool vital_product_data() const { return (flags & 0x01) != 0; }
};
static_assert(sizeof(InquiryCdb) == 6);

struct RequestSenseCdb {  // SPC-4 6.39
  u8 opcode;
  u8 flags;
  Be16 reserved;
  u8 allocation_length;
  u8 control;

  bool descriptor_format() const { return (flags & 0x01) != 0; }
};
static_assert(sizeof(RequestSenseCdb) == 6);

struct ReadCapacity10Cdb {  // SBC-3 5.15
  u8 opcode;
  u8 reserved;
  Be32 lba;
  Be16 reserved_too;
  u8 flags;
  u8 control;

  bool partial_medium() const { return (flags & 0x01) != 0; }
};
static_assert(sizeof(ReadCapacity10Cdb) == 10);

/// READ CAPACITY(16), SBC-3 5.16, and GET LBA STATUS, SBC-3 5.4.
struct ServiceActionIn16Cdb {
  u8 opcode;
  u8 service_action;
  Be64 lba;
  Be32 allocation_length;
  u8 flags;
  u8 control;
};
static_assert(sizeof(ServiceActionIn16Cdb) == 16);

/// REPORT LUNS (SPC-4 6.33), REPORT SUPPORTED OPERATION CODES (6.35), REPORT SUPPORTED TASK MANAGEMENT
/// FUNCTIONS (6.36).
struct ReportCdb {
  u8 opcode;
  u8 service_action;
  u8 flags;  // SELECT REPORT in REPORT LUNS
  u8 requested_opcode;
  Be16 requested_service_action;
  Be32 allocation_length;
  u8 reserved;
  u8 control;
};
static_assert(sizeof(ReportCdb) == 12);

struct ModeSense6Cdb {  // SPC-4 6.13
  u8 opcode;
  u8 flags;
  u8 page;
  u8 subpage;
  u8 allocation_length;
  u8 control;
};
static_assert(sizeof(ModeSense6Cdb) == 6);

struct ModeSense10Cdb {  // SPC-4 6.14
  u8 opcode;
  u8 flags;
  u8 page;
  u8 subpage;
  std::array<u8, 3> reserved;
  Be16 allocation_length;
  u8 control;
};
static_assert(sizeof(ModeSense10Cdb) == 10);

struct ModeSelect6Cdb {  // SPC-4 6.11
  u8 opcode;
  u8 flags;
  Be16 reserved;
  u8 parameter_list_length;
  u8 control;
};
static_assert(sizeof(ModeSelect6Cdb) == 6);

/// MODE SELECT(10) (SPC-4 6.12), UNMAP (SBC-3 5.28).
struct ParameterList10Cdb {
  u8 opcode;
  u8 flags;
  std::array<u8, 5> reserved;
  Be16 parameter_list_length;
  u8 control;
};
static_assert(sizeof(ParameterList10Cdb) == 10);

struct LogSenseCdb {  // SPC-4 6.8
  u8 opcode;
  u8 flags;
  u8 page;
  u8 subpage;
  u8 reserved;
  Be16 parameter_pointer;
  Be16 allocation_length;
  u8 control;
};
static_assert(sizeof(LogSenseCdb) == 10);

struct StartStopUnitCdb {  // SBC-3 5.25
  u8 opcode;
  u8 flags;
  u8 reserved;
  u8 modifier;
  u8 action;
  u8 control;
};
static_assert(sizeof(StartStopUnitCdb) == 6);

struct ReadDefectData10Cdb {  // SBC-3 5.17
  u8 opcode;
  u8 reserved;
  u8 lists;
  std::array<u8, 4> reserved_too;
  Be16 allocation_length;
  u8 control;
};
static_assert(sizeof(ReadDefectData10Cdb) == 10);

struct ReadDefectData12Cdb {  // SBC-3 5.18
  u8 opcode;
  u8 lists;
  Be32 descriptor_index;
  Be32 allocation_length;
  u8 reserved;
  u8 control;
};
static_assert(sizeof(ReadDefectData12Cdb) == 12);

struct CompareAndWriteCdb {  // SBC-3 5.2
  u8 opcode;
  u8 flags;
  Be64 lba;
  Be24 reserved;
  u8 blocks;
  u8 group;
  u8 control;
};
static_assert(sizeof(CompareAndWriteCdb) == 16);

/// Where a command goes to on the medium, whatever the size of its CDB.
struct Addressed {
  u64 lba;
  u64 length_blocks;
  u8 flags;
  u16 length_byte;  // of the CDB: where the length field is

  bool force_unit_access() const { return (flags & 0x08) != 0; }
  u8 byte_check() const { return bits(flags >> 1 & 0x03); }
};

/// For the commands of Cdb6, Cdb10, Cdb12 and Cdb16; `cdb` must be as long as its group code says.
inline Addressed addressed(std::span<const u8> cdb) noexcept {
  const auto group = cdb[0] >> 5;
  if (group == 0) {
    const auto six = structure_from<Cdb6>(cdb);
    return {six.lba, six.length == 0 ? 256u : six.length, 0, 4};
  }
  if (group == 4) {
    const auto sixteen = structure_from<Cdb16>(cdb);
    return {sixteen.lba, sixteen.length, sixteen.flags, 10};
  }
  if (group == 5) {
    const auto twelve = structure_from<Cdb12>(cdb);
    return {twelve.lba, twelve.length, twelve.flags, 6};
  }
  const auto ten = structure_from<Cdb10>(cdb);
  return {ten.lba, ten.length, ten.flags, 7};
}

}  // namespace tcmufs::scsi
