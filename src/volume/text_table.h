#pragma once

#include <string>
#include <vector>

namespace tcmufs::volume {

/// Lines of cells in aligned columns, two spaces apart. Rows have as many cells as the first.
std::string text_table(std::vector<std::vector<std::string>> rows);

}  // namespace tcmufs::volume
