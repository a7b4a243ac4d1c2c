#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "sys/fd.h"

namespace tcmufs::attach {

/// What targetcli is to know of a handler.
struct HandlerDescription {
  std::string name;
  std::string description;
  /// Throws whatever says why there can be no backstore of that.
  std::function<void(const std::string& config)> check;
};

/// A handler on the system bus, where targetcli looks for handlers: org.kernel.TCMUService1.
///
/// Only one process can have that name, and tcmu-runner means to. Whoever has it takes in the handlers of
/// others (org.kernel.TCMUService1.HandlerManager1), as this does. So it takes the name where nobody has it,
/// gives it up when somebody waits for it who knows nothing of that (tcmu-runner waits for ever), and is
/// taken in by whoever has it, now and later.
class Bus {
 public:
  /// Where there is no bus it goes on looking for one, and says so. Throws Failure: EBUSY (another process
  /// has that handler).
  Bus(HandlerDescription handler, std::function<void(const std::string&)> report);
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  /// Whether a handler can have that name: it becomes part of names of the bus.
  static bool good_name(const std::string& name);

 private:
  class Connection;

  void run() noexcept;
  void serve() noexcept;
  bool stopped(int timeout_ms) const noexcept;

  const HandlerDescription handler_;
  const std::function<void(const std::string&)> report_;
  Fd stop_;
  std::unique_ptr<Connection> connection_;  // used by one thread at a time
  std::thread thread_;
};

}  // namespace tcmufs::attach
