#pragma once

#include <optional>
#include <ostream>
#include <string>

namespace tcmufs::mountctl {

/// A line of an events file.
struct Event {
  std::string time;
  std::string volume;  // empty: the mount itself
  std::string word;
  std::string detail;
};

/// "TIME PATH WORD[ DETAIL]", in the path \ooo for special bytes, "-" for the mount. Nothing for any other
/// line.
std::optional<Event> parse_event(const std::string& line);

struct WatchOptions {
  bool json = false;  // an object a line
  bool all = false;   // those that are kept, too
  bool colour = false;
};

/// Prints the events of the mount (`name` empty) or of a volume as they come. Returns when the mount ends, or
/// the volume is removed. Throws Failure or Refusal.
void watch_events(const std::string& mount, const std::string& name, const WatchOptions& options,
                  std::ostream& out);

}  // namespace tcmufs::mountctl
