#include <array>
#include <optional>

#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/page.h"

namespace tcmufs::scsi {

namespace {

using LogPage = Page<64>;

constexpr u8 supported_code = 0x00;
constexpr u8 temperature_code = 0x0d;
constexpr u8 exceptions_code = 0x2f;
constexpr std::array<u8, 3> log_page_codes = {supported_code, temperature_code, exceptions_code};

constexpr u8 temperature_unknown = 0xff;

struct ParameterHeader {  // SPC-4 7.3.2.2.1
  Be16 code;
  u8 control = 0x03;  // a binary list, no thresholds
  u8 length = 0;
};
static_assert(sizeof(ParameterHeader) == 4);

struct Temperature {  // SPC-4 7.3.21
  ParameterHeader header;
  u8 reserved = 0;
  u8 degrees = temperature_unknown;
};
static_assert(sizeof(Temperature) == 6);

struct Exceptions {  // SPC-4 7.3.11
  ParameterHeader header;
  u8 code = 0;
  u8 qualifier = 0;
  u8 degrees = temperature_unknown;
};
static_assert(sizeof(Exceptions) == 7);

template <typename Parameter>
void append_parameter(LogPage& page, u16 code, u16 first_code) {
  if (code < first_code) return;
  Parameter parameter;
  parameter.header.code = code;
  parameter.header.length = bits(sizeof parameter - sizeof parameter.header);
  page.append_structure(parameter);
}

struct LogPageHeader {
  u8 code;
  u8 subpage;
  Be16 length;
};
static_assert(sizeof(LogPageHeader) == 4);

/// The parameters from code `first_code` on.
std::optional<LogPage> log_page(u8 code, u16 first_code) {
  LogPage page;
  page.append_structure(LogPageHeader{code, 0, {}});
  switch (code) {
    case supported_code:
      page.append(log_page_codes);
      break;
    case temperature_code:
      append_parameter<Temperature>(page, 0x0000, first_code);
      append_parameter<Temperature>(page, 0x0001, first_code);
      break;
    case exceptions_code:
      append_parameter<Exceptions>(page, 0x0000, first_code);
      break;
    default:
      return std::nullopt;
  }
  page.set_16(2, page.size() - sizeof(LogPageHeader));
  return page;
}

}  // namespace

Answer log_sense(const Request& request) {
  const auto cdb = structure_from<LogSenseCdb>(request.cdb());
  if (cdb.subpage != 0) return sense::invalid_cdb_field(3);
  const auto page = log_page(static_cast<u8>(cdb.page & 0x3f), cdb.parameter_pointer);
  if (!page) return sense::invalid_cdb_field(2, u8{5});
  if (cdb.parameter_pointer != 0 && page->size() == sizeof(LogPageHeader)) return sense::invalid_cdb_field(5);
  return reply(request.command, page->bytes(), cdb.allocation_length);
}

}  // namespace tcmufs::scsi
