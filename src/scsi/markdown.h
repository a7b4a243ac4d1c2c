#pragma once

#include <string>

namespace tcmufs::scsi {

/// The supported commands as a table in Markdown: a row a command, with opcode, service action and the clause
/// that defines it.
std::string markdown_table();

}  // namespace tcmufs::scsi
