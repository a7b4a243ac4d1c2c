#include <array>
#include <optional>

#include "scsi/buffer.h"
#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/mode_pages.h"
#include "scsi/mode_parameters.h"

namespace tcmufs::scsi {

namespace {

/// More than every page once, with header and block descriptor.
constexpr std::size_t list_limit_bytes = 256;

using ParameterList = std::span<const u8>;

struct Layout {
  std::size_t descriptor_offset;
  std::size_t descriptor_length;
  bool long_lba;
  std::size_t pages_offset() const { return descriptor_offset + descriptor_length; }
};

constexpr u16 position(std::size_t offset) {
  return static_cast<u16>(offset);
}

std::variant<Layout, Sense> layout_of(ParameterList list, bool ten) {
  if (list.size() < (ten ? sizeof(ModeHeader10) : sizeof(ModeHeader6)))
    return sense::parameter_list_length_error;
  Layout layout{};
  u8 medium_type = 0;
  if (ten) {
    const auto header = structure_from<ModeHeader10>(list);
    layout = {sizeof header, header.block_descriptor_length, (header.flags & ModeHeader10::long_lba) != 0};
    medium_type = header.medium_type;
  } else {
    const auto header = structure_from<ModeHeader6>(list);
    layout = {sizeof header, header.block_descriptor_length, false};
    medium_type = header.medium_type;
  }
  if (medium_type != 0) return sense::invalid_parameter(ten ? 2 : 1);
  const std::size_t whole = layout.long_lba ? sizeof(LongBlockDescriptor) : sizeof(ShortBlockDescriptor);
  if (layout.descriptor_length != 0 && layout.descriptor_length != whole) {
    return sense::invalid_parameter(ten ? 6 : 3);
  }
  if (list.size() < layout.pages_offset()) return sense::parameter_list_length_error;
  return layout;
}

/// A block descriptor may say what is so already; 0 blocks mean "as they are".
template <typename Descriptor>
std::optional<Sense> descriptor_objection(ParameterList list, std::size_t offset, const Geometry& geometry) {
  const auto asked = structure_from<Descriptor>(list.subspan(offset));
  const auto present = Descriptor::of(geometry);
  if (asked.blocks != 0 && asked.blocks != present.blocks) return sense::invalid_parameter(position(offset));
  if (asked.block_size != present.block_size) {
    return sense::invalid_parameter(position(offset + sizeof(Descriptor) - sizeof asked.block_size));
  }
  return std::nullopt;
}

/// Takes one page over; the number of its bytes, or why not.
std::variant<std::size_t, Sense> take_page(ParameterList list, std::size_t offset, Modes& modes) {
  const ParameterList rest = list.subspan(offset);
  if (rest.size() < 2) return sense::parameter_list_length_error;
  const u8 code = rest[0];  // with PS and SPF, which have to be 0
  const auto present = mode_page(code, modes);
  if (!present) return sense::invalid_parameter(position(offset));
  if (rest[1] != present->data[1]) return sense::invalid_parameter(position(offset + 1));
  if (rest.size() < present->length) return sense::parameter_list_length_error;

  const ModePage changeable = changeable_bits(code);
  for (std::size_t i = 2; i < present->length; ++i) {
    if (((rest[i] ^ present->data[i]) & ~changeable.data[i]) != 0)
      return sense::invalid_parameter(position(offset + i));
  }
  take_over(rest.first(present->length), modes);
  return std::size_t{present->length};
}

/// The modes as the list wants them, all of it or nothing.
std::variant<Modes, Sense> parse(ParameterList list, bool ten, const UnitState& state) {
  const auto parsed = layout_of(list, ten);
  if (const auto* sense = std::get_if<Sense>(&parsed)) return *sense;
  const auto& layout = std::get<Layout>(parsed);
  if (layout.descriptor_length != 0) {
    const auto sense =
        layout.long_lba
            ? descriptor_objection<LongBlockDescriptor>(list, layout.descriptor_offset, state.geometry)
            : descriptor_objection<ShortBlockDescriptor>(list, layout.descriptor_offset, state.geometry);
    if (sense) return *sense;
  }
  Modes modes = state.modes;
  for (std::size_t offset = layout.pages_offset(); offset < list.size();) {
    const auto taken = take_page(list, offset, modes);
    if (const auto* sense = std::get_if<Sense>(&taken)) return *sense;
    offset += std::get<std::size_t>(taken);
  }
  return modes;
}

/// What is cached has to reach the medium before the cache is gone, or nothing may be written any more: the
/// plan flushes.
Result stop_caching(const Execution&) {
  return taken();
}

Answer mode_select(const Request& request, std::size_t length, u8 flags, bool ten) {
  constexpr u8 page_format = 0x10;
  if ((flags & page_format) == 0) return sense::invalid_cdb_field(1, u8{4});
  if (length == 0) return taken();
  std::array<u8, list_limit_bytes> list{};
  if (length > list.size()) return sense::parameter_list_length_error;
  if (copy_from(request.command.buffer, 0, std::span(list).first(length)) < length) {
    return sense::parameter_list_length_error;
  }
  const auto parsed = parse(ParameterList(list).first(length), ten, request.state);
  if (const auto* sense = std::get_if<Sense>(&parsed)) return *sense;
  const auto& modes = std::get<Modes>(parsed);
  request.device.set_modes(modes);
  const Modes& before = request.state.modes;
  const bool cache_off = before.write_cache && !modes.write_cache;
  const bool protect = !before.software_write_protect && modes.software_write_protect;
  if (!cache_off && !protect) return taken();
  return Plan::compound(stop_caching).flushing(true);
}

}  // namespace

Answer mode_select_6(const Request& request) {
  const auto cdb = structure_from<ModeSelect6Cdb>(request.cdb());
  return mode_select(request, cdb.parameter_list_length, cdb.flags, false);
}

Answer mode_select_10(const Request& request) {
  const auto cdb = structure_from<ParameterList10Cdb>(request.cdb());
  return mode_select(request, cdb.parameter_list_length, cdb.flags, true);
}

}  // namespace tcmufs::scsi
