#include "mountctl/command_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "mountctl/control_file.h"
#include "mountctl/terminal.h"
#include "sys/error.h"
#include "sys/fd.h"

namespace tcmufs::mountctl {

namespace {

using Json = nlohmann::ordered_json;

/// The word at the front of `rest`, which is taken from it with the space behind.
std::string take_word(std::string& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  std::string word = rest.substr(0, end);
  rest.erase(0, end + 1);
  return word;
}

bool is_octal(const std::string& text, std::size_t at, std::size_t count) {
  return at + count <= text.size() && text.find_first_not_of("01234567", at) >= at + count;
}

/// With the bytes that \ooo stand for.
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && is_octal(text, i + 1, 3)) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string shown(const std::string& line, const WatchOptions& options) {
  const auto event = parse_event(line);
  if (options.json) {
    const Json json = event ? Json{{"time", event->time},
                                   {"volume", event->volume.empty() ? Json() : Json(event->volume)},
                                   {"event", event->word},
                                   {"detail", event->detail}}
                            : Json{{"line", line}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  if (!event || !options.colour) return line;
  std::string rest = line;
  std::string front = take_word(rest) + " ";
  front += take_word(rest) + " ";
  take_word(rest);
  return front + painted(event->word, event->word) + (rest.empty() ? "" : " " + rest);
}

class Reader {
 public:
  Reader(std::string path, Fd file) : path_(std::move(path)), file_(std::move(file)) {}

  enum class Result { bytes, nothing_yet, end };
  /// Adds what there is to `text`.
  Result read(std::string& text) {
    std::array<char, 8192> buffer{};
    for (;;) {
      const ssize_t count = ::read(file_.number(), buffer.data(), buffer.size());
      if (count > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(count));
        return Result::bytes;
      }
      if (count == 0) return Result::end;
      if (errno == EAGAIN) return Result::nothing_yet;
      if (errno != EINTR) throw_errno("cannot read " + tcmufs::quoted(path_));
    }
  }
  void wait() {
    pollfd item{file_.number(), POLLIN, 0};
    if (::poll(&item, 1, -1) < 0 && errno != EINTR) throw_errno("cannot wait for " + tcmufs::quoted(path_));
  }

 private:
  std::string path_;
  Fd file_;
};

void print_lines(std::string& text, const WatchOptions& options, std::ostream& out) {
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    out << shown(text.substr(begin, end - begin), options) << '\n';
    begin = end + 1;
  }
  text.erase(0, begin);
  out << std::flush;
}

}  // namespace

std::optional<Event> parse_event(const std::string& line) {
  Event event;
  std::string rest = line;
  event.time = take_word(rest);
  const std::string path = take_word(rest);
  event.word = take_word(rest);
  event.detail = rest;
  if (event.time.empty() || path.empty() || event.word.empty()) return std::nullopt;
  if (path != "-") event.volume = unescaped(path);
  return event;
}

void watch_events(const std::string& mount, const std::string& given, const WatchOptions& options,
                  std::ostream& out) {
  const std::string name = given.empty() ? "" : volume_name(mount, given);
  if (!name.empty()) require_volume(mount, name);
  const std::string path = name.empty() ? mount + "/.ctl/events" : control_path(mount, name, "events");
  Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) throw Failure(errno, "cannot open " + quoted(path), advice_for(mount, errno));
  Reader reader(path, std::move(file));
  std::string text;
  auto result = Reader::Result::bytes;
  if (!options.all) {
    while (result == Reader::Result::bytes) result = reader.read(text);
    text.clear();
  }
  while (result != Reader::Result::end && out) {
    if (result == Reader::Result::nothing_yet) reader.wait();
    result = reader.read(text);
    print_lines(text, options, out);
  }
}

}  // namespace tcmufs::mountctl
