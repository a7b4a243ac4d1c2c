#include "mountctl/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace tcmufs::mountctl {

namespace {

constexpr std::string_view red = "31";
constexpr std::string_view green = "32";
constexpr std::string_view yellow = "33";

std::string_view colour_of(std::string_view word) {
  if (word == "ready" || word == "OK") return green;
  if (word == "failed" || word == "refused" || word == "FIX") return red;
  if (word == "attaching" || word == "paused" || word == "resizing" || word == "detaching" ||
      word == "pending" || word == "draft" || word == "WARN") {
    return yellow;
  }
  return {};
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

bool can_move_cursor(int descriptor) {
  return ::isatty(descriptor) == 1 && variable("TERM") != "dumb";
}

bool colours_on(int descriptor) {
  return can_move_cursor(descriptor) && variable("NO_COLOR").empty();
}

bool colours_on_output() {
  return colours_on(STDOUT_FILENO);
}

std::string cut_to(const std::string& line, std::size_t columns) {
  std::string result;
  std::size_t width = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\033') {
      const auto end = std::min(line.find('m', i), line.size() - 1);
      result += line.substr(i, end - i + 1);
      i = end;
      continue;
    }
    if ((static_cast<unsigned char>(line[i]) & 0xc0) != 0x80) ++width;
    if (width <= columns) result += line[i];
  }
  return result;
}

std::string painted(const std::string& word, const std::string& text) {
  const std::string_view colour = colour_of(word);
  if (colour.empty()) return text;
  return "\033[" + std::string(colour) + "m" + text + "\033[0m";
}

}  // namespace tcmufs::mountctl
