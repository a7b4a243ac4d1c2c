#include "volume/kill_points.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "sys/error.h"

namespace tcmufs::volume {

namespace {

constexpr std::array<std::string_view, 11> places = {"fetched",  "before",        "after",    "begun",
                                                     "executed", "half_response", "response", "complete",
                                                     "tail",     "notified",      "errand"};

// A ring has a thread of its own.
thread_local bool gave_back = false;

[[noreturn]] void die() noexcept {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

bool is_operation(std::string_view name) {
  for (std::size_t i = 0; i < operation_count; ++i) {
    if (operation_name(static_cast<Operation>(i)) == name) return true;
  }
  return false;
}

u64 positive_number(const std::string& text) {
  u64 number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? number : 0;
}

}  // namespace

/// An engine with the places before and after I/O.
class KillPoints::WatchedEngine final : public Engine {
 public:
  WatchedEngine(KillPoints& points, std::unique_ptr<Engine> engine)
      : points_(points), engine_(std::move(engine)) {}

  void submit(std::span<Job* const> jobs) noexcept override {
    look_back();
    if (points_.is_last("fetched")) die();
    const auto last = std::find_if(jobs.begin(), jobs.end(), [this](const Job* job) {
      return points_.is_last("before", job->operation);
    });
    engine_->submit({jobs.begin(), last});
    if (last != jobs.end()) die();
  }
  std::span<Job* const> reap() noexcept override {
    look_back();
    const auto jobs = engine_->reap();
    for (const Job* job : jobs) {
      if (points_.is_last("after", job->operation)) die();
    }
    return jobs;
  }
  bool idle() const noexcept override { return engine_->idle(); }
  int fd() const noexcept override { return engine_->fd(); }
  void wait() noexcept override { engine_->wait(); }
  bool unplanned() const noexcept override { return engine_->unplanned(); }
  std::string name() const override { return engine_->name(); }

 private:
  // Nothing asks an engine for anything between giving back and telling.
  void look_back() noexcept {
    if (std::exchange(gave_back, false) && points_.is_last("notified")) die();
  }

  KillPoints& points_;
  std::unique_ptr<Engine> engine_;
};

KillPoints& KillPoints::of_environment() {
  const char* const order = std::getenv("TCMUFS_KILL");
  static KillPoints points(order == nullptr ? "" : order);
  return points;
}

KillPoints::KillPoints(const std::string& order) {
  if (order.empty()) return;
  std::istringstream words(order);
  std::string count;
  words >> place_ >> count;
  if (place_ == "before" || place_ == "after") {
    std::string word;
    if (words >> word) operation_ = std::exchange(count, word);
  }
  left_ = positive_number(count);
  const bool known = std::find(places.begin(), places.end(), place_) != places.end() &&
                     (operation_.empty() || is_operation(operation_));
  if (!known || left_ == 0 || words >> count) {
    throw Failure(EINVAL, "cannot tell from TCMUFS_KILL, " + quoted(order) + ", where to die");
  }
}

std::unique_ptr<Engine> KillPoints::watched(std::unique_ptr<Engine> engine) {
  return std::make_unique<WatchedEngine>(*this, std::move(engine));
}

void KillPoints::sent_on_errand() noexcept {
  if (is_last("errand")) die();
}

void KillPoints::stored(tcmu::Store what, std::span<std::byte> bytes) noexcept {
  switch (what) {
    case tcmu::Store::mark: {
      const auto flags = std::to_integer<unsigned>(bytes.front());
      const bool complete = (flags & tcmu::marks::complete) != 0;
      if (is_last(complete ? "complete" : (flags & tcmu::marks::begun) != 0 ? "begun" : "executed")) die();
      break;
    }
    case tcmu::Store::response:
      if (is_last("response")) die();
      if (!is_last("half_response")) break;
      // What was there before is not known any more. It is not what belongs there.
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), bytes.end(), std::byte{0xa5});
      die();
    case tcmu::Store::tail:
      gave_back = true;
      if (is_last("tail")) die();
  }
}

bool KillPoints::is_last(std::string_view place) noexcept {
  return place == place_ && left_.fetch_sub(1) == 1;
}

bool KillPoints::is_last(std::string_view place, Operation operation) noexcept {
  return (operation_.empty() || operation_ == operation_name(operation)) && is_last(place);
}

}  // namespace tcmufs::volume
