#pragma once

#include <functional>
#include <thread>

#include "sys/fd.h"

namespace tcmufs::daemon {

/// Calls `look`, which must not throw, from a thread of its own, whenever a file system is mounted or unmounted, swap is switched
/// on or off, and once a second (stacked devices come without an event), from construction to destruction.
class UseWatch {
 public:
  explicit UseWatch(std::function<void()> look);
  ~UseWatch();
  UseWatch(const UseWatch&) = delete;
  UseWatch& operator=(const UseWatch&) = delete;

 private:
  void run();

  std::function<void()> look_;
  Fd mounts_;
  Fd swaps_;
  Fd stop_;
  std::thread thread_;
};

}  // namespace tcmufs::daemon
