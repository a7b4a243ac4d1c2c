#include "sys/event_ring.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "sys/event_line.h"
#include "sys/fd.h"

namespace tcmufs {

EventRing::EventRing(std::size_t most_lines, std::size_t most_bytes)
    : most_lines_(most_lines), most_bytes_(most_bytes) {}

void EventRing::add(const std::shared_ptr<Topic>& topic, std::string line) noexcept {
  const std::lock_guard lock(mutex_);
  const u64 number = count_++;
  const u64 number_of_topic = topic ? topic->count_++ : 0;
  const std::size_t bytes = line.size();
  try {
    lines_.push_back({number, number_of_topic, topic, std::move(line)});
    bytes_ += bytes;
  } catch (const std::exception&) {  // no memory: it counts as missed
  }
  while (!lines_.empty() && (lines_.size() > most_lines_ || bytes_ > most_bytes_)) {
    bytes_ -= lines_.front().text.size();
    lines_.pop_front();
  }
  wake();
}

void EventRing::end(Topic& topic) noexcept {
  const std::lock_guard lock(mutex_);
  topic.ended_ = true;
  wake();
}

std::shared_ptr<EventRing::Reader> EventRing::reader(std::shared_ptr<Topic> topic) {
  const std::lock_guard lock(mutex_);
  return std::shared_ptr<Reader>(new Reader(*this, std::move(topic)));
}

void EventRing::listen(int event) {
  const std::lock_guard lock(mutex_);
  listeners_.push_back(event);
}

void EventRing::unlisten(int event) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase(listeners_, event);
}

void EventRing::wake() noexcept {
  for (const int event : listeners_) raise_event(event);
}

EventRing::Reader::Reader(EventRing& ring, std::shared_ptr<Topic> topic)
    : ring_(ring), topic_(std::move(topic)) {
  const auto& lines = ring_.lines_;
  const auto oldest = std::find_if(lines.begin(), lines.end(),
                                   [&](const Line& line) { return !topic_ || line.topic == topic_; });
  position_ = oldest == lines.end() ? ring_.count_ : oldest->number;
  next_ = oldest == lines.end() ? count() : topic_ ? oldest->number_of_topic : oldest->number;
}

std::optional<std::size_t> EventRing::Reader::read(std::span<std::byte> buffer) {
  const std::lock_guard lock(ring_.mutex_);
  std::size_t done = 0;
  while (done < buffer.size() && (at_ < line_.size() || next_line())) {
    const std::size_t length = std::min(buffer.size() - done, line_.size() - at_);
    std::memcpy(buffer.data() + done, line_.data() + at_, length);
    at_ += length;
    done += length;
  }
  if (done == 0 && !buffer.empty() && !ended()) return std::nullopt;
  return done;
}

bool EventRing::Reader::ready() const {
  const std::lock_guard lock(ring_.mutex_);
  return has_more() || ended();
}

bool EventRing::Reader::at_end() const {
  const std::lock_guard lock(ring_.mutex_);
  return !has_more() && ended();
}

bool EventRing::Reader::next_line() {
  if (next_ == count()) return false;
  const auto& lines = ring_.lines_;
  auto found = std::lower_bound(lines.begin(), lines.end(), position_,
                                [](const Line& line, u64 number) { return line.number < number; });
  found = std::find_if(found, lines.end(), [&](const Line& line) { return !topic_ || line.topic == topic_; });
  const bool none = found == lines.end();
  const u64 number = none ? count() : topic_ ? found->number_of_topic : found->number;
  at_ = 0;
  if (number != next_) {
    line_ = event_line(time_stamp(), "", "missed", std::to_string(number - next_));
    position_ = none ? ring_.count_ : found->number;
    next_ = number;
    return true;
  }
  line_ = found->text;
  position_ = found->number + 1;
  next_ = number + 1;
  return true;
}

bool EventRing::Reader::has_more() const {
  return at_ < line_.size() || next_ < count();
}

bool EventRing::Reader::ended() const {
  return topic_ && topic_->ended_;
}

u64 EventRing::Reader::count() const {
  return topic_ ? topic_->count_ : ring_.count_;
}

}  // namespace tcmufs
