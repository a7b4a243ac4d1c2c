// Mode parameters: SPC-4 7.5, SBC-3 6.5.
#include <algorithm>

#include "disk.h"
#include "policy.h"

namespace tcmufs::model {

namespace {

constexpr u8 write_cache_bit = 0x04;       // byte 2 of the caching page
constexpr u8 descriptor_sense_bit = 0x04;  // byte 2 of the control page
constexpr u8 write_protect_bit = 0x08;     // byte 4 of the control page

bool known(u8 code) {
  return std::find(policy::mode_pages.begin(), policy::mode_pages.end(), code) != policy::mode_pages.end();
}

u8 changeable(u8 code, std::size_t byte) {
  if (code == 0x08 && byte == 2) return write_cache_bit;
  if (code == 0x0a && byte == 2) return descriptor_sense_bit;
  return code == 0x0a && byte == 4 ? write_protect_bit : 0;
}

Bytes short_descriptor(u64 blocks, u64 block_bytes) {
  return join({field(std::min<u64>(blocks, 0xffffffff), 4), {0}, field(block_bytes, 3)});
}

Bytes long_descriptor(u64 blocks, u64 block_bytes) {
  return join({field(blocks, 8), Bytes(4), field(block_bytes, 4)});
}

}  // namespace

Bytes Disk::mode_page(u8 code, const Modes& modes) const {
  const auto bit = [](bool set, u8 value) { return set ? value : u8{0}; };
  switch (code) {
    case 0x01:
      return join({{0x01, 10}, Bytes(10)});
    case 0x08:
      return join({{0x08, 18, bit(modes.write_cache, write_cache_bit)}, Bytes(17)});
    case 0x0a:  // GLTSD; unrestricted reordering; TAS
      return {0x0a,
              10,
              static_cast<u8>(0x02 | bit(modes.descriptor_sense, descriptor_sense_bit)),
              0x10,
              bit(modes.software_write_protect, write_protect_bit),
              0x40,
              0,
              0,
              0xff,
              0xff,
              0,
              0};
    default:  // DEXCPT
      return join({{0x1c, 10, 0x08}, Bytes(9)});
  }
}

Expectation Disk::mode_sense(const Bytes& cdb) const {
  const bool ten = cdb[0] == 0x5a;
  const unsigned control = cdb[2] >> 6;  // PC
  const auto code = static_cast<u8>(cdb[2] & 0x3f);
  if (control == 3) return refusal(problem::saving);
  if (cdb[3] != 0 && cdb[3] != 0xff) return refusal(problem::cdb(3));
  if (code != 0x3f && !known(code)) return refusal(problem::cdb(2, 5));

  Bytes pages;
  for (const u8 each : policy::mode_pages) {
    if (code != 0x3f && code != each) continue;
    Bytes page = mode_page(each, control == 2 ? Modes{} : modes_);
    for (std::size_t i = 2; control == 1 && i < page.size(); ++i) page[i] = changeable(each, i);
    pages = join({pages, page});
  }
  const bool descriptor = (cdb[1] & 0x08) == 0;                 // DBD
  const bool wide = ten && descriptor && (cdb[1] & 0x10) != 0;  // LLBAA
  const auto specific = static_cast<u8>(0x10 | (read_only_ || modes_.software_write_protect ? 0x80 : 0));
  Bytes described;
  if (descriptor)
    described = wide ? long_descriptor(blocks(), block_bytes()) : short_descriptor(blocks(), block_bytes());
  if (!ten) {
    const auto length = static_cast<u8>(3 + described.size() + pages.size());
    return reply(join({{length, 0, specific, static_cast<u8>(described.size())}, described, pages}), cdb[4]);
  }
  const Bytes header = join({field(6 + described.size() + pages.size(), 2),
                             {0, specific, static_cast<u8>(wide ? 1 : 0), 0},
                             field(described.size(), 2)});
  return reply(join({header, described, pages}), number(cdb, 7, 2));
}

Expectation Disk::mode_select(const Bytes& cdb, const Bytes& buffer) {
  const bool ten = cdb[0] == 0x55;
  const u64 length = ten ? number(cdb, 7, 2) : cdb[4];
  if ((cdb[1] & 0x10) == 0) return refusal(problem::cdb(1, 4));  // PF
  if (length == 0) return {};
  if (length > policy::mode_list_bytes || buffer.size() < length) return refusal(problem::list_length);
  Modes modes = modes_;
  if (const auto wrong = take_modes(part(buffer, 0, length), ten, modes)) return refusal(*wrong);
  Expectation result;
  const bool cache_off = modes_.write_cache && !modes.write_cache;
  const bool protect = !modes_.software_write_protect && modes.software_write_protect;
  if (cache_off || protect) result.flush = Expectation::Flush::after;
  modes_ = modes;
  return result;
}

/// All of the list, or what is wrong with it first.
std::optional<Problem> Disk::take_modes(const Bytes& list, bool ten, Modes& modes) const {
  const std::size_t header = ten ? 8 : 4;
  if (list.size() < header) return problem::list_length;
  if (list[ten ? 2 : 1] != 0) return problem::list(ten ? 2 : 1);  // MEDIUM TYPE
  const bool wide = ten && (list[4] & 1) != 0;
  const u64 described = ten ? number(list, 6, 2) : list[3];
  const Bytes present =
      wide ? long_descriptor(blocks(), block_bytes()) : short_descriptor(blocks(), block_bytes());
  if (described != 0 && described != present.size()) return problem::list(ten ? 6 : 3);
  if (list.size() < header + described) return problem::list_length;
  if (described != 0) {
    const unsigned width = wide ? 8 : 4, size_width = wide ? 4 : 3;
    const std::size_t size_byte = present.size() - size_width;
    const u64 count = number(list, header, width);
    if (count != 0 && count != number(present, 0, width)) return problem::list(header);
    if (number(list, header + size_byte, size_width) != block_bytes())
      return problem::list(header + size_byte);
  }
  for (std::size_t at = header + described; at < list.size();) {
    if (list.size() - at < 2) return problem::list_length;
    const u8 code = list[at];
    if (!known(code)) return problem::list(at);
    const Bytes page = mode_page(code, modes);
    if (list[at + 1] != page.size() - 2) return problem::list(at + 1);
    if (list.size() - at < page.size()) return problem::list_length;
    for (std::size_t i = 2; i < page.size(); ++i) {
      if (((list[at + i] ^ page[i]) & ~changeable(code, i)) != 0) return problem::list(at + i);
    }
    if (code == 0x08) modes.write_cache = (list[at + 2] & write_cache_bit) != 0;
    if (code == 0x0a) modes.descriptor_sense = (list[at + 2] & descriptor_sense_bit) != 0;
    if (code == 0x0a) modes.software_write_protect = (list[at + 4] & write_protect_bit) != 0;
    at += page.size();
  }
  return std::nullopt;
}

}  // namespace tcmufs::model
