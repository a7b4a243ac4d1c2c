#include "scsi/markdown.h"

#include "scsi/opcode_table.h"

namespace tcmufs::scsi {

namespace {

std::string hex(unsigned value) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  return {digits[value >> 4 & 0x0f], digits[value & 0x0f], 'h'};
}

}  // namespace

std::string markdown_table() {
  std::string table =
      "| command | opcode | service action | defined in | answered by |\n|---|---|---|---|---|\n";
  for (const Row& row : opcode_table()) {
    table += std::string("| ") + row.name + " | " + hex(row.opcode) + " | ";
    table += row.has_service_action() ? hex(row.service_action) : "";
    table +=
        std::string(" | ") + row.clause + " | " + (row.handler == nullptr ? "the kernel" : "tcmufs") + " |\n";
  }
  return table;
}

}  // namespace tcmufs::scsi
