#include "sys/event_line.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace tcmufs {

namespace {

template <typename Plain>
std::string escaped(const std::string& text, Plain plain) {
  std::string result;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= ' ' && byte != 0x7f && plain(character)) {
      result += character;
      continue;
    }
    std::array<char, 5> octal{};
    std::snprintf(octal.data(), octal.size(), "\\%03o", unsigned{byte});
    result += octal.data();
  }
  return result;
}

}  // namespace

std::string time_stamp() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  std::array<char, 64> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%03ldZ", now.tv_nsec / 1'000'000);
  return text.data();
}

std::string path_word(const std::string& path) {
  if (path.empty()) return "-";
  return escaped(path, [](char character) { return character != ' ' && character != '\\'; });
}

std::string line_text(const std::string& text) {
  return escaped(text, [](char) { return true; });
}

std::string event_line(const std::string& time, const std::string& path, const std::string& word,
                       const std::string& detail) {
  std::string line = time + ' ' + path_word(path) + ' ' + word;
  if (!detail.empty()) line += ' ' + line_text(detail);
  return line + '\n';
}

}  // namespace tcmufs
