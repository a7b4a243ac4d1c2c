#include "sys/error.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tcmufs {

namespace {

std::string sentence_text(int error, const std::string& sentence, const std::string& advice) {
  std::string text =
      sentence + ": " + std::generic_category().message(error) + " (" + errno_name(error) + ")";
  if (!advice.empty()) text += ". " + advice;
  return text;
}

}  // namespace

std::string errno_name(int error) {
  const char* name = strerrorname_np(error);
  return name != nullptr ? name : "errno " + std::to_string(error);
}

Failure::Failure(int error, const std::string& sentence, const std::string& advice)
    : std::system_error(error, std::generic_category()), text_(sentence_text(error, sentence, advice)) {}

Failure Failure::relayed(int error, const std::string& text) {
  Failure failure(error, "");
  failure.text_ = text;
  return failure;
}

void throw_errno(const std::string& sentence, const std::string& advice) {
  throw Failure(errno, sentence, advice);
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      char escape[5];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      result += escape;
    } else {
      result += c;
    }
  }
  return result + "'";
}

}  // namespace tcmufs
