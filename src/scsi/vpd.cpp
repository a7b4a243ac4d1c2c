#include "scsi/vpd.h"

#include <array>
#include <string>

#include "scsi/naa.h"

namespace tcmufs::scsi {

namespace {

void append_text(VpdPage& page, const std::string& text) {
  page.append({reinterpret_cast<const u8*>(text.data()), text.size()});
}

void unit_serial_number(VpdPage& page, const Request& request) {
  append_text(page, request.device.identity().serial_number());
}

struct DesignatorHeader {  // SPC-4, designation descriptor
  u8 code_set;
  u8 type;  // of the logical unit
  u8 reserved;
  u8 length;
};

void device_identification(VpdPage& page, const Request& request) {
  constexpr u8 binary = 1, ascii = 2, t10_vendor_id = 1, naa = 3;
  const Identity identity = request.device.identity();
  const auto designator = naa_designator(identity);
  page.append_structure(DesignatorHeader{binary, naa, 0, bits(designator.size())});
  page.append(designator);

  std::array<u8, 8> vendor{};
  fill_text(vendor, identity.vendor);
  const std::string serial = identity.serial_number();
  page.append_structure(DesignatorHeader{ascii, t10_vendor_id, 0, bits(vendor.size() + serial.size())});
  page.append(vendor);
  append_text(page, serial);
}

struct ExtendedInquiry {
  u8 activation = 0;
  u8 queueing = 0x01;  // SIMPSUP
  u8 cache = 0x01;     // V_SUP
  std::array<u8, 57> rest{};
};
static_assert(sizeof(ExtendedInquiry) == 60);

void extended_inquiry(VpdPage& page, const Request&) {
  page.append_structure(ExtendedInquiry{});
}

struct BlockLimits {
  u8 write_same_non_zero = 1;  // WSNZ: WRITE SAME of 0 blocks does not mean all up to the end
  u8 compare_and_write = 0;
  Be16 optimal_granularity;
  Be32 transfer;
  Be32 optimal_transfer;
  Be32 prefetch;
  Be32 unmap;
  Be32 unmap_descriptors;
  Be32 optimal_unmap_granularity;
  Be32 unmap_alignment;
  Be64 write_same;
  std::array<Be32, 5> atomic{};
};
static_assert(sizeof(BlockLimits) == 60);

void block_limits(VpdPage& page, const Request& request) {
  constexpr u32 alignment_valid = 0x80000000;  // UGAVALID
  const Limits& limits = request.device.limits();
  const u32 physical_blocks = 1u << request.state.geometry.physical_exponent();
  BlockLimits data;
  data.compare_and_write = limits.compare_and_write;
  data.optimal_granularity = static_cast<u16>(physical_blocks);
  data.transfer = limits.transfer;
  data.optimal_transfer = limits.optimal_transfer;
  data.write_same = limits.write_same;
  if (request.device.thin()) {
    data.unmap = limits.unmap;
    data.unmap_descriptors = limits.unmap_descriptors;
    data.optimal_unmap_granularity = limits.unmap_granularity;
    data.unmap_alignment = alignment_valid;
  }
  page.append_structure(data);
}

struct BlockDeviceCharacteristics {
  Be16 rotation_rate{1};  // does not rotate
  std::array<u8, 58> rest{};
};
static_assert(sizeof(BlockDeviceCharacteristics) == 60);

void block_device_characteristics(VpdPage& page, const Request&) {
  page.append_structure(BlockDeviceCharacteristics{});
}

struct LogicalBlockProvisioning {
  u8 threshold_exponent = 0;
  u8 abilities = 0xe4;       // LBPU, LBPWS, LBPWS10, LBPRZ
  u8 provisioning_type = 2;  // thin
  u8 group = 0;
};
static_assert(sizeof(LogicalBlockProvisioning) == 4);

void logical_block_provisioning(VpdPage& page, const Request& request) {
  LogicalBlockProvisioning data;
  if (!request.device.thin()) data.abilities = data.provisioning_type = 0;
  page.append_structure(data);
}

void supported_pages(VpdPage& page, const Request&);

struct Entry {
  u8 code;
  void (*append)(VpdPage&, const Request&);
};

// Ascending, as the Supported VPD Pages page has to be (SPC-4).
constexpr std::array entries = {
    Entry{0x00, supported_pages},
    Entry{0x80, unit_serial_number},
    Entry{0x83, device_identification},
    Entry{0x86, extended_inquiry},
    Entry{0xb0, block_limits},
    Entry{0xb1, block_device_characteristics},
    Entry{0xb2, logical_block_provisioning},
};

void supported_pages(VpdPage& page, const Request&) {
  for (const Entry& entry : entries) page.append_structure(entry.code);
}

struct PageHeader {
  u8 peripheral = 0;
  u8 code = 0;
  Be16 length;
};
static_assert(sizeof(PageHeader) == 4);

}  // namespace

std::optional<VpdPage> vital_product_data(u8 page_code, const Request& request) {
  for (const Entry& entry : entries) {
    if (entry.code != page_code) continue;
    VpdPage page;
    page.append_structure(PageHeader{0, page_code, {}});
    entry.append(page, request);
    page.set_16(2, page.size() - sizeof(PageHeader));
    return page;
  }
  return std::nullopt;
}

}  // namespace tcmufs::scsi
