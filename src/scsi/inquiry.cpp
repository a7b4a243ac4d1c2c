#include <array>

#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/vpd.h"

namespace tcmufs::scsi {

namespace {

struct StandardInquiry {  // SPC-4 6.6, standard INQUIRY data
  u8 peripheral = 0;      // connected, direct access block device
  u8 removable = 0;
  u8 version = 6;  // SPC-4
  u8 response_data_format = 2;
  u8 additional_length = 91;
  std::array<u8, 2> reserved{};
  u8 flags = 0x02;  // CMDQUE
  std::array<u8, 8> vendor{};
  std::array<u8, 16> product{};
  std::array<u8, 4> revision{};
  std::array<u8, 22> reserved_too{};
  std::array<Be16, 8> versions{Be16(0x00a0), Be16(0x0460), Be16(0x04c0)};  // SAM-5, SPC-4, SBC-3
  std::array<u8, 22> reserved_three{};
};
static_assert(sizeof(StandardInquiry) == 96);

StandardInquiry standard_data(const Identity& identity) {
  StandardInquiry data;
  fill_text(data.vendor, identity.vendor);
  fill_text(data.product, identity.product);
  fill_text(data.revision, identity.revision);
  return data;
}

}  // namespace

Answer inquiry(const Request& request) {
  constexpr u8 page_byte = 2;
  const auto cdb = structure_from<InquiryCdb>(request.cdb());
  request.device.note_inquiry();
  if (cdb.vital_product_data()) {
    const auto page = vital_product_data(cdb.page_code, request);
    if (!page) return sense::invalid_cdb_field(page_byte, u8{7});
    return reply(request.command, page->bytes(), cdb.allocation_length);
  }
  if (cdb.page_code != 0) return sense::invalid_cdb_field(page_byte, u8{7});
  return reply(request.command, bytes_of(standard_data(request.device.identity())), cdb.allocation_length);
}

}  // namespace tcmufs::scsi
