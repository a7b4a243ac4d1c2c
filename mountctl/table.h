#pragma once

#include <string>
#include <vector>

namespace tcmufs::mountctl {

/// Rows of cells as lines of aligned columns, two spaces apart; "-" stands for an empty cell, \xNN for a
/// control byte, so that a line is always a row and a word a cell (but for cells that hold spaces). Widths
/// count UTF-8 characters.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace tcmufs::mountctl
