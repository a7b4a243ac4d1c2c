#pragma once

#include <string>
#include <vector>

namespace tcmufs::mountctl {

/// A value of a description, whichever notation it is written in.
struct Node {
  enum class Type { table, text, integer, boolean, other };

  std::string key;  // in the table that it is part of
  unsigned line = 0;
  Type type = Type::other;
  std::string text;  // an integer in decimal digits, a boolean as 1 or 0, of others what they are: "an array"
  std::vector<Node> members;  // of a table, in the order of the file
};

/// The table that the whole of `text` is. Throws Refusal (usage) that begins with "SHOWN:LINE: ".
Node parse_toml(const std::string& text, const std::string& shown);
Node parse_json(const std::string& text, const std::string& shown);

/// Throws Refusal (usage): "SHOWN:LINE: SENTENCE".
[[noreturn]] void refuse_line(const std::string& shown, unsigned line, const std::string& sentence);

}  // namespace tcmufs::mountctl
