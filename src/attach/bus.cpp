#include "attach/bus.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "attach/bus_connection.h"
#include "sys/error.h"
#include "sys/quiet_thread.h"

namespace tcmufs::attach {

namespace {

constexpr int retry_ms = 2'000;

}  // namespace

Bus::Bus(HandlerDescription handler, std::function<void(const std::string&)> report)
    : handler_(std::move(handler)), report_(std::move(report)), stop_(make_event()) {
  try {
    connection_ = std::make_unique<Connection>(handler_, report_);
  } catch (const Failure& failure) {
    if (failure.error() == EBUSY) throw;
    report_("targetcli does not find the handler " + quoted(handler_.name) + ": " + failure.what());
  }
  thread_ = quiet_thread([this] { run(); });
}

Bus::~Bus() {
  raise_event(stop_.number());
  thread_.join();
}

bool Bus::good_name(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && name.size() <= 64 && !digit(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

void Bus::run() noexcept {
  do {
    if (connection_) serve();
    try {
      connection_ = nullptr;
      if (!stopped(0)) connection_ = std::make_unique<Connection>(handler_, report_);
    } catch (const std::exception&) {
      connection_ = nullptr;  // that has been said at first
    }
  } while (!stopped(connection_ ? 0 : retry_ms));
  connection_ = nullptr;
}

void Bus::serve() noexcept {
  while (connection_->process()) {
    std::array<pollfd, 2> watched{
        {{stop_.number(), POLLIN, 0}, {connection_->fd(), connection_->events(), 0}}};
    ::poll(watched.data(), watched.size(), connection_->timeout_ms());
    if (watched[0].revents != 0) return;
  }
}

bool Bus::stopped(int timeout_ms) const noexcept {
  pollfd watched{stop_.number(), POLLIN, 0};
  return ::poll(&watched, 1, timeout_ms) == 1;
}

}  // namespace tcmufs::attach
