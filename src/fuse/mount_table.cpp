#include "fuse/mount_table.h"

#include <algorithm>
#include <sstream>

#include "sys/text_file.h"

namespace tcmufs::fuse {

namespace {

bool octal(char digit) {
  return digit >= '0' && digit <= '7';
}

/// Space, tab, newline and backslash stand in mountinfo as \ooo.
std::string unescaped(const std::string& field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const bool escape = field[i] == '\\' && i + 3 < field.size() && octal(field[i + 1]) &&
                        octal(field[i + 2]) && octal(field[i + 3]);
    if (!escape) {
      text += field[i];
      continue;
    }
    text += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + (field[i + 3] - '0'));
    i += 3;
  }
  return text;
}

}  // namespace

std::vector<MountLine> parse_mount_table(const std::string& text) {
  std::vector<MountLine> table;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    MountLine mount;
    std::string skipped;
    std::string point;
    std::string source;
    fields >> mount.id >> skipped >> skipped >> skipped >> point >> skipped;
    while (fields >> skipped && skipped != "-") {
    }
    if (!(fields >> mount.type >> source)) continue;
    mount.point = unescaped(point);
    mount.source = unescaped(source);
    table.push_back(std::move(mount));
  }
  return table;
}

std::vector<MountLine> mount_table() {
  return parse_mount_table(read_text("/proc/self/mountinfo"));
}

std::optional<MountLine> topmost(const std::vector<MountLine>& table, const std::string& point) {
  const auto at =
      std::find_if(table.rbegin(), table.rend(), [&](const auto& line) { return line.point == point; });
  return at == table.rend() ? std::nullopt : std::optional(*at);
}

}  // namespace tcmufs::fuse
