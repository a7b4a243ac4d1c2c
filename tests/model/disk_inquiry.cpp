// INQUIRY and its pages: SPC-4 6.6 and 7.8, SBC-3 6.6. The unit's uuid is all zeros.
#include <bit>

#include "disk.h"
#include "policy.h"

namespace tcmufs::model {

namespace {

Bytes text(const std::string& characters) {
  return {characters.begin(), characters.end()};
}

Bytes standard_data(const Names& names) {
  Bytes data = join({{0, 0, 6, 2, 91, 0, 0, 0x02},
                     padded(names.vendor, 8),
                     padded(names.product, 16),
                     padded(names.revision, 4),
                     Bytes(22),
                     field(0x00a0, 2),
                     field(0x0460, 2),
                     field(0x04c0, 2)});
  data.resize(96);
  return data;
}

Bytes identification(const std::string& vendor) {
  const std::string serial(32, '0');
  return join(
      {{1, 3, 0, 16, 0x60, 0x01, 0x40, 0x50}, Bytes(12), {2, 1, 0, 40}, padded(vendor, 8), text(serial)});
}

}  // namespace

Bytes Disk::block_limits() const {
  Bytes data(60);
  data[0] = policy::write_same_needs_a_length ? 1 : 0;
  place(data, 1, limits_.compare_and_write, 1);
  place(data, 2, physical_blocks_, 2);
  place(data, 4, limits_.transfer, 4);
  place(data, 8, (1u << 20) / block_bytes(), 4);
  place(data, 16, limits_.unmap, 4);
  place(data, 20, limits_.unmap_descriptors, 4);
  place(data, 24, granularity_blocks_, 4);
  place(data, 28, 0x80000000, 4);  // UGAVALID, alignment 0
  place(data, 32, limits_.write_same, 8);
  return data;
}

Expectation Disk::inquiry(const Bytes& cdb) {
  inquired_ = true;
  const u64 allocation = number(cdb, 3, 2);
  const u8 code = cdb[2];
  if ((cdb[1] & 1) == 0)
    return code != 0 ? refusal(problem::cdb(2, 7)) : reply(standard_data(names_), allocation);
  Bytes page;
  switch (code) {
    case 0x00:
      page = policy::vpd_pages;
      break;
    case 0x80:
      page = text(std::string(32, '0'));
      break;
    case 0x83:
      page = identification(names_.vendor);
      break;
    case 0x86:
      page = join({{0, 0x01, 0x01}, Bytes(57)});  // SIMPSUP, V_SUP
      break;
    case 0xb0:
      page = block_limits();
      break;
    case 0xb1:
      page = join({{0, 1}, Bytes(58)});  // does not rotate
      break;
    case 0xb2:
      page = {0, 0xe4, 2, 0};  // LBPU, LBPWS, LBPWS10, LBPRZ; thin
      break;
    default:
      return refusal(problem::cdb(2, 7));
  }
  return reply(join({{0, code}, field(page.size(), 2), page}), allocation);
}

}  // namespace tcmufs::model
