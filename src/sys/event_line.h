#pragma once

#include <string>

namespace tcmufs {

/// The time of day as log lines have it: UTC, milliseconds, "2026-11-29T07:07:27.123Z".
std::string time_stamp();

/// A path as one word: white space, backslashes and control characters are three octal digits each
/// ("two\040words"), as in /proc/mounts; "" is "-".
std::string path_word(const std::string& path);

/// Text for the rest of a line: control characters as path_word() has them, all else as it is.
std::string line_text(const std::string& text);

/// "TIME PATH WORD[ DETAIL]\n". `path` as it is in the store, "" for the mount itself; `detail` may have
/// anything in it.
std::string event_line(const std::string& time, const std::string& path, const std::string& word,
                       const std::string& detail = {});

}  // namespace tcmufs
