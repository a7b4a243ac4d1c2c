#pragma once

#include <string>
#include <vector>

namespace tcmufs::mountctl {

/// Rows of cells as lines of aligned columns, two spaces apart; "-" stands for an empty cell, \xNN for a
/// control byte, so that a line is always a row and a word a cell (but for cells that hold spaces). Widths
/// count UTF-8 characters. With `colour` states are painted, in the column that the first row calls STATE.
std::string table_text(const std::vector<std::vector<std::string>>& rows, bool colour = false);

}  // namespace tcmufs::mountctl
