#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <thread>

#include "scsi/logical_unit.h"
#include "sys/fd.h"
#include "tcmu/ring.h"
#include "volume/dispatcher.h"
#include "volume/engine.h"
#include "volume/pace.h"
#include "volume/statistics.h"

namespace tcmufs::volume {

/// How a ring's kernel side is woken and waited for: a UIO device, or in tests an eventfd.
class Doorbell {
 public:
  Doorbell() = default;
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;
  virtual ~Doorbell() = default;

  virtual std::span<std::byte> memory() noexcept = 0;
  /// Becomes readable, in the sense of an edge, with every notice of the kernel that there are commands.
  virtual int fd() const noexcept = 0;
  /// Says whether the device is still there, from what epoll_wait(2) has said of fd().
  virtual bool present(u32 events) const noexcept = 0;
  /// Both: false if the device has been removed. Notices are counted; acknowledge() takes note of the count.
  [[nodiscard]] virtual bool acknowledge() noexcept = 0;
  [[nodiscard]] virtual bool notify() noexcept = 0;
};

/// The thread that serves one ring, from construction to destruction. It never touches configfs: the kernel
/// may be waiting for it. A fault (a ring that breaks its rules, a device removed behind our back) ends the
/// service of this volume alone; `failed` is then called once, from that thread, with a sentence.
///
/// It takes all commands that the ring holds, gives their I/O to the engine at once, and tells the kernel
/// once of what has been finished. A volume has a thread of its own: a store that hangs delays nobody else.
class Server {
 public:
  /// Writes `statistics`, which nobody else may do meanwhile. `observer` is the ring's.
  Server(Doorbell& doorbell, scsi::LogicalUnit& unit, Engine& engine, Statistics& statistics,
         std::function<void(const std::string&)> failed, tcmu::StoreObserver* observer = nullptr);
  /// Finishes what has been taken, gives it back and stops.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// How long it looks at an empty ring where polling pays; 0: never. Any thread.
  void be_patient_for(u32 microseconds) noexcept { patience_ns_ = u64{1000} * microseconds; }

 private:
  void run() noexcept;
  bool wait() noexcept;
  void poll_ring() noexcept;
  bool serve() noexcept;
  bool give_back() noexcept;
  void keep_pace(u32 commands) noexcept;

  Doorbell& doorbell_;
  Engine& engine_;
  Statistics& statistics_;
  std::function<void(const std::string&)> failed_;
  Dispatcher dispatcher_;
  tcmu::Ring& ring_;
  Pace pace_;
  Manner manner_ = Manner::prompt;
  std::atomic<u64> patience_ns_ = 500'000;
  u64 idle_since_ns_ = 0;
  u32 unacknowledged_ = 0;  // commands, each with a notice at most
  bool present_ = true;
  std::atomic<bool> stopping_ = false;
  Fd stop_;
  Fd epoll_;
  std::thread thread_;
};

}  // namespace tcmufs::volume
