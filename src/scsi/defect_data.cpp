#include "scsi/cdb.h"
#include "scsi/handlers.h"

namespace tcmufs::scsi {

namespace {

struct DefectHeader10 {  // SBC-3, READ DEFECT DATA(10) parameter data
  u8 reserved = 0;
  u8 lists = 0;  // as asked for: which lists these are, in which format
  Be16 length;
};
static_assert(sizeof(DefectHeader10) == 4);

struct DefectHeader12 {  // SBC-3, READ DEFECT DATA(12) parameter data
  u8 reserved = 0;
  u8 lists = 0;
  Be16 generation;
  Be32 length;
};
static_assert(sizeof(DefectHeader12) == 8);

}  // namespace

Answer read_defect_data_10(const Request& request) {
  const auto cdb = structure_from<ReadDefectData10Cdb>(request.cdb());
  DefectHeader10 header;
  header.lists = cdb.lists;
  return reply(request.command, bytes_of(header), cdb.allocation_length);
}

Answer read_defect_data_12(const Request& request) {
  const auto cdb = structure_from<ReadDefectData12Cdb>(request.cdb());
  DefectHeader12 header;
  header.lists = cdb.lists;
  return reply(request.command, bytes_of(header), cdb.allocation_length);
}

}  // namespace tcmufs::scsi
