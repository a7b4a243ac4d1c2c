#include "volume/event_log.h"

#include <exception>

#include "sys/event_line.h"

namespace tcmufs::volume {

namespace {

constexpr std::size_t most_errors = 200;

}  // namespace

void EventLog::record(const std::shared_ptr<EventRing::Topic>& topic, const std::string& path,
                      const std::string& word, const std::string& detail) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    const std::string time = time_stamp();
    ring_.add(topic, event_line(time, path, word, detail));
    if (word != "refused" && word != "failed") return;
    errors_.push_back(time + ' ' + path_word(path) + ' ' + line_text(detail) + '\n');
    if (errors_.size() > most_errors) errors_.pop_front();
  } catch (const std::exception&) {  // no memory for a line: what it is about must not fail for that
  }
}

std::string EventLog::errors() const {
  const std::lock_guard lock(mutex_);
  std::string all;
  for (const std::string& line : errors_) all += line;
  return all;
}

}  // namespace tcmufs::volume
