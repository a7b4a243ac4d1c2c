#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "scsi/logical_unit.h"
#include "sys/fd.h"
#include "tcmu/ring.h"
#include "volume/engine.h"

namespace tcmufs::volume {

/// How a ring's kernel side is woken and waited for: a UIO device, or in tests a pair of eventfds.
class Doorbell {
 public:
  Doorbell() = default;
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;
  virtual ~Doorbell() = default;

  virtual std::span<std::byte> memory() noexcept = 0;
  /// Polls readable when there are commands.
  virtual int fd() const noexcept = 0;
  /// Both: false if the device has been removed.
  [[nodiscard]] virtual bool acknowledge() noexcept = 0;
  [[nodiscard]] virtual bool notify() noexcept = 0;
};

/// The thread that serves one ring, from construction to destruction. It never touches configfs: the kernel
/// may be waiting for it. A fault (a ring that breaks its rules, a device removed behind our back) ends the
/// service of this volume alone; `failed` is then called once, from that thread, with a sentence.
class Server {
 public:
  Server(Doorbell& doorbell, scsi::LogicalUnit& unit, Engine& engine,
         std::function<void(const std::string&)> failed);
  /// Finishes what has been taken, gives it back and stops.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  void run() noexcept;
  bool serve() noexcept;
  bool take_batch() noexcept;
  void finish_jobs() noexcept;
  bool give_back() noexcept;

  Doorbell& doorbell_;
  scsi::LogicalUnit& unit_;
  Engine& engine_;
  std::function<void(const std::string&)> failed_;
  tcmu::Ring ring_;
  std::vector<std::unique_ptr<Job>> jobs_;  // all there are
  std::vector<Job*> free_jobs_;
  std::vector<Job*> batch_;
  Fd stop_;
  std::thread thread_;
};

}  // namespace tcmufs::volume
