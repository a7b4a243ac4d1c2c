#include "scsi/mode_pages.h"

#include <algorithm>

#include "scsi/wire.h"
#include "sys/big_endian.h"

namespace tcmufs::scsi {

namespace {

constexpr u8 error_recovery_code = 0x01;
constexpr u8 caching_code = 0x08;
constexpr u8 control_code = 0x0a;
constexpr u8 exceptions_mode_page = 0x1c;

struct ErrorRecoveryPage {  // SBC-3, Read-Write Error Recovery mode page
  u8 code = error_recovery_code;
  u8 length = 10;
  std::array<u8, 10> rest{};
};
static_assert(sizeof(ErrorRecoveryPage) == 12);

struct CachingPage {  // SBC-3, Caching mode page
  static constexpr u8 wce = 0x04;

  u8 code = caching_code;
  u8 length = 18;
  u8 flags = 0;
  std::array<u8, 17> rest{};
};
static_assert(sizeof(CachingPage) == 20);

struct ControlPage {  // SPC-4, Control mode page
  static constexpr u8 descriptor_sense = 0x04;
  static constexpr u8 software_write_protect = 0x08;

  u8 code = control_code;
  u8 length = 10;
  u8 flags = 0x02;     // GLTSD
  u8 queueing = 0x10;  // unrestricted reordering
  u8 protection = 0;
  u8 aborting = 0x40;  // TAS: the kernel says TASK ABORTED
  std::array<u8, 2> reserved{};
  Be16 busy_timeout{0xffff};
  Be16 self_test_seconds;
};
static_assert(sizeof(ControlPage) == 12);

struct ExceptionsPage {  // SPC-4, Informational Exceptions Control mode page
  u8 code = exceptions_mode_page;
  u8 length = 10;
  u8 flags = 0x08;  // DEXCPT
  u8 method = 0;
  std::array<u8, 8> rest{};
};
static_assert(sizeof(ExceptionsPage) == 12);

CachingPage caching_page(const Modes& modes) {
  CachingPage page;
  if (modes.write_cache) page.flags |= CachingPage::wce;
  return page;
}

ControlPage control_page(const Modes& modes) {
  ControlPage page;
  if (modes.descriptor_sense) page.flags |= ControlPage::descriptor_sense;
  if (modes.software_write_protect) page.protection |= ControlPage::software_write_protect;
  return page;
}

template <typename Structure>
ModePage page_of(const Structure& structure) {
  ModePage page;
  const auto bytes = bytes_of(structure);
  static_assert(sizeof(Structure) <= sizeof page.data);
  std::copy(bytes.begin(), bytes.end(), page.data.begin());
  page.length = bits(bytes.size());
  return page;
}

}  // namespace

std::optional<ModePage> mode_page(u8 code, const Modes& modes) {
  switch (code) {
    case error_recovery_code:
      return page_of(ErrorRecoveryPage{});
    case caching_code:
      return page_of(caching_page(modes));
    case control_code:
      return page_of(control_page(modes));
    case exceptions_mode_page:
      return page_of(ExceptionsPage{});
    default:
      return std::nullopt;
  }
}

ModePage changeable_bits(u8 code) {
  ModePage page = *mode_page(code, {});
  std::fill(page.data.begin() + 2, page.data.end(), u8{0});
  if (code == caching_code) page.data[2] = CachingPage::wce;
  if (code == control_code) {
    page.data[2] = ControlPage::descriptor_sense;
    page.data[4] = ControlPage::software_write_protect;
  }
  return page;
}

void take_over(std::span<const u8> page, Modes& modes) {
  if ((page[0] & 0x3f) == caching_code) modes.write_cache = (page[2] & CachingPage::wce) != 0;
  if ((page[0] & 0x3f) == control_code) {
    modes.descriptor_sense = (page[2] & ControlPage::descriptor_sense) != 0;
    modes.software_write_protect = (page[4] & ControlPage::software_write_protect) != 0;
  }
}

}  // namespace tcmufs::scsi
