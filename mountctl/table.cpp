#include "mountctl/table.h"

#include <algorithm>

#include "mountctl/terminal.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

std::string shown(const std::string& cell) {
  if (cell.empty()) return "-";
  const std::string text = quoted(cell);
  return text.substr(1, text.size() - 2);
}

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::vector<std::size_t> column_widths(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(shown(row[i])));
  }
  return widths;
}

}  // namespace

std::string table_text(const std::vector<std::vector<std::string>>& rows, bool colour) {
  const auto widths = column_widths(rows);
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string cell = shown(row[i]);
      text += colour && i < rows[0].size() && rows[0][i] == "STATE" ? painted(cell, cell) : cell;
      if (i + 1 < row.size()) text.append(widths[i] - width_of(cell) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace tcmufs::mountctl
