#pragma once

#include <functional>
#include <string>
#include <thread>

#include "sys/fd.h"

namespace tcmufs::daemon {

/// Calls `look` from a thread of its own whenever disks may have become used or free: at the start, when a
/// file system is mounted or unmounted, when swap is switched on or off, when `stacking` says something else
/// than a second ago (devices on devices come without an event), a second after each of these, and once a
/// minute whatever happens. From construction to destruction; neither must throw.
class UseWatch {
 public:
  UseWatch(std::function<void()> look, std::function<std::string()> stacking);
  ~UseWatch();
  UseWatch(const UseWatch&) = delete;
  UseWatch& operator=(const UseWatch&) = delete;

 private:
  void run();

  std::function<void()> look_;
  std::function<std::string()> stacking_;
  Fd mounts_;
  Fd swaps_;
  Fd stop_;
  std::thread thread_;
};

}  // namespace tcmufs::daemon
