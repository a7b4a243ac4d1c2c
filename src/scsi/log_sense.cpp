#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "scsi/cdb.h"
#include "scsi/handlers.h"
#include "scsi/page.h"

namespace tcmufs::scsi {

namespace {

constexpr u8 supported_code = 0x00;
constexpr u8 provisioning_code = 0x0c;
constexpr u8 temperature_code = 0x0d;
constexpr u8 exceptions_log_page = 0x2f;
constexpr u8 every_subpage = 0xff;

struct ListedPage {
  u8 code;
  u8 subpage;
  u16 last_parameter;
};
constexpr std::array listed_pages = {
    ListedPage{supported_code, 0, 0},      ListedPage{supported_code, every_subpage, 0},
    ListedPage{provisioning_code, 0, 2},   ListedPage{temperature_code, 0, 1},
    ListedPage{exceptions_log_page, 0, 0},
};

using LogPage = Page<64>;

struct LogPageHeader {  // SPC-4, log page format
  static constexpr u8 disable_save = 0x80;
  static constexpr u8 subpage_format = 0x40;

  u8 code;
  u8 subpage;
  Be16 length;
};
static_assert(sizeof(LogPageHeader) == 4);

struct ParameterHeader {  // SPC-4, log parameter format
  Be16 code;
  u8 control = 0x03;  // a binary list, no thresholds
  u8 length = 0;
};
static_assert(sizeof(ParameterHeader) == 4);

struct Temperature {  // SPC-4, Temperature log page
  static constexpr u8 unknown = 0xff;

  ParameterHeader header;
  u8 reserved = 0;
  u8 degrees = unknown;
};
static_assert(sizeof(Temperature) == 6);

struct Exceptions {  // SPC-4, Informational Exceptions log page
  ParameterHeader header;
  u8 code = 0;
  u8 qualifier = 0;
  u8 degrees = Temperature::unknown;
};
static_assert(sizeof(Exceptions) == 7);

/// In threshold sets, which are single blocks here: the threshold exponent is 0.
struct ResourceCount {  // SBC-3, Logical Block Provisioning log page
  enum Scope : u8 { dedicated = 1, shared = 2 };

  ParameterHeader header;
  Be32 count;
  u8 scope = 0;
  std::array<u8, 3> reserved{};
};
static_assert(sizeof(ResourceCount) == 12);

LogPage begin(u8 code, u8 subpage) {
  LogPage page;
  page.append_structure(LogPageHeader{code, subpage, {}});
  return page;
}

template <typename Parameter>
void append(LogPage& page, u16 first_code, u16 code, Parameter parameter = {}) {
  if (code < first_code) return;
  parameter.header.code = code;
  parameter.header.length = bits(sizeof parameter - sizeof parameter.header);
  page.append_structure(parameter);
}

Response reply_with(const Command& command, LogPage page) {
  const auto cdb = structure_from<LogSenseCdb>(command.cdb);
  page.set_16(2, page.size() - sizeof(LogPageHeader));
  return reply(command, page.bytes(), cdb.allocation_length);
}

LogPage supported_pages(bool subpages) {
  LogPage page = subpages ? begin(supported_code | LogPageHeader::subpage_format, every_subpage)
                          : begin(supported_code, 0);
  for (const ListedPage& listed : listed_pages) {
    if (subpages || listed.subpage == 0) page.append_structure(listed.code);
    if (subpages) page.append_structure(listed.subpage);
  }
  return page;
}

LogPage temperature(u16 first_code) {
  LogPage page = begin(temperature_code, 0);
  append<Temperature>(page, first_code, 0x0000);
  append<Temperature>(page, first_code, 0x0001);
  return page;
}

LogPage informational_exceptions() {
  LogPage page = begin(exceptions_log_page, 0);
  append<Exceptions>(page, 0, 0x0000);
  return page;
}

ResourceCount count_of(u64 bytes, u32 block_size_bytes, ResourceCount::Scope scope) {
  ResourceCount resource;
  resource.count = static_cast<u32>(std::min<u64>(bytes / block_size_bytes, std::numeric_limits<u32>::max()));
  resource.scope = scope;
  return resource;
}

Result provisioning(const Execution& execution) {
  const u16 first_code = structure_from<LogSenseCdb>(execution.command.cdb).parameter_pointer;
  const u32 block_size = execution.block_size_bytes();
  store::BlockStore::Space space{};
  if (const auto error = execution.store.space(space)) return sense_of(error, Direction::reading);
  LogPage page = begin(provisioning_code | LogPageHeader::disable_save, 0);
  append(page, first_code, 0x0001, count_of(space.available_bytes, block_size, ResourceCount::shared));
  append(page, first_code, 0x0002, count_of(space.used_bytes, block_size, ResourceCount::dedicated));
  return reply_with(execution.command, page);
}

/// Why there is no such page, or no such parameter in it.
std::optional<Sense> objection(u8 code, u8 subpage, u16 first_code) {
  bool known_code = false;
  for (const ListedPage& listed : listed_pages) {
    if (listed.code != code) continue;
    known_code = true;
    if (listed.subpage != subpage) continue;
    if (first_code > listed.last_parameter) return sense::invalid_cdb_field(5);
    return std::nullopt;
  }
  return known_code ? sense::invalid_cdb_field(3) : sense::invalid_cdb_field(2, u8{5});
}

}  // namespace

Answer log_sense(const Request& request) {
  const auto cdb = structure_from<LogSenseCdb>(request.cdb());
  const auto code = static_cast<u8>(cdb.page & 0x3f);
  if (const auto sense = objection(code, cdb.subpage, cdb.parameter_pointer)) return *sense;
  switch (code) {
    case provisioning_code:
      return Plan::compound(provisioning);
    case temperature_code:
      return reply_with(request.command, temperature(cdb.parameter_pointer));
    case exceptions_log_page:
      return reply_with(request.command, informational_exceptions());
    default:
      return reply_with(request.command, supported_pages(cdb.subpage == every_subpage));
  }
}

}  // namespace tcmufs::scsi
