#include <optional>

#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/mode_pages.h"
#include "scsi/mode_parameters.h"
#include "scsi/page.h"

namespace tcmufs::scsi {

namespace {

using ModeData = Page<128>;

enum class PageControl : u8 { current, changeable, defaults, saved };

constexpr u8 all_pages = 0x3f;
constexpr u8 all_subpages = 0xff;

struct Asked {
  PageControl control;
  u8 page;
  u8 subpage;
};

Asked asked(u8 page_byte, u8 subpage) {
  return {static_cast<PageControl>(page_byte >> 6), static_cast<u8>(page_byte & 0x3f), subpage};
}

std::optional<Sense> objection(const Asked& asked) {
  if (asked.control == PageControl::saved) return sense::saving_parameters_not_supported;
  if (asked.subpage != 0 && asked.subpage != all_subpages) return sense::invalid_cdb_field(3);
  if (asked.page != all_pages && !mode_page(asked.page, {})) return sense::invalid_cdb_field(2, u8{5});
  return std::nullopt;
}

void append_pages(ModeData& data, const Asked& asked, const Request& request) {
  const bool defaults = asked.control == PageControl::defaults;
  const Modes& modes = defaults ? request.device.default_modes() : request.state.modes;
  for (const u8 code : mode_page_codes) {
    if (asked.page != all_pages && asked.page != code) continue;
    if (asked.control == PageControl::changeable) {
      data.append(changeable_bits(code).bytes());
    } else {
      data.append(mode_page(code, modes)->bytes());
    }
  }
}

u8 device_specific(const UnitState& state) {  // SBC-3, device-specific parameter
  constexpr u8 write_protected = 0x80, dpo_and_fua = 0x10;
  return bits(dpo_and_fua | (state.write_protected() ? write_protected : 0));
}

constexpr u8 no_block_descriptors = 0x08;  // DBD
constexpr u8 long_lba_accepted = 0x10;     // LLBAA

}  // namespace

Answer mode_sense_6(const Request& request) {
  const auto cdb = structure_from<ModeSense6Cdb>(request.cdb());
  const Asked wanted = asked(cdb.page, cdb.subpage);
  if (const auto sense = objection(wanted)) return *sense;

  const bool descriptor = (cdb.flags & no_block_descriptors) == 0;
  ModeHeader6 header;
  header.device_specific = device_specific(request.state);
  header.block_descriptor_length = descriptor ? sizeof(ShortBlockDescriptor) : 0;
  ModeData data;
  data.append_structure(header);
  if (descriptor) data.append_structure(ShortBlockDescriptor::of(request.state.geometry));
  append_pages(data, wanted, request);
  data[0] = bits(data.size() - 1);
  return reply(request.command, data.bytes(), cdb.allocation_length);
}

Answer mode_sense_10(const Request& request) {
  const auto cdb = structure_from<ModeSense10Cdb>(request.cdb());
  const Asked wanted = asked(cdb.page, cdb.subpage);
  if (const auto sense = objection(wanted)) return *sense;

  const bool descriptor = (cdb.flags & no_block_descriptors) == 0;
  const bool long_lba = descriptor && (cdb.flags & long_lba_accepted) != 0;
  ModeHeader10 header;
  header.device_specific = device_specific(request.state);
  header.flags = long_lba ? ModeHeader10::long_lba : u8{0};
  if (descriptor)
    header.block_descriptor_length = long_lba ? sizeof(LongBlockDescriptor) : sizeof(ShortBlockDescriptor);
  ModeData data;
  data.append_structure(header);
  if (long_lba) {
    data.append_structure(LongBlockDescriptor::of(request.state.geometry));
  } else if (descriptor) {
    data.append_structure(ShortBlockDescriptor::of(request.state.geometry));
  }
  append_pages(data, wanted, request);
  data.set_16(0, data.size() - 2);
  return reply(request.command, data.bytes(), cdb.allocation_length);
}

}  // namespace tcmufs::scsi
