#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "tcmu/ring_memory.h"
#include "volume/engine.h"

namespace tcmufs::volume {

/// Kills this process (SIGKILL) at the n-th passage of a place, counted over all volumes: in builds for tests
/// only (CMake's TCMUFS_KILL_POINTS), for whoever wants to see the next daemon take over. The places, in the
/// order in which a command passes them:
/// - fetched: a batch has been taken from the ring;
/// - before, after: a command's I/O, of one operation if one is named (`other` is COMPARE AND WRITE and the
///   like);
/// - begun, executed, complete: a mark has been stored;
/// - half_response: of a response, half the bytes have been stored; response: all;
/// - tail: commands have been given back; notified: and the kernel was told.
/// And at none of them: errand, when the other process (sys/errands.h) has been sent to do something.
class KillPoints final : public tcmu::StoreObserver {
 public:
  /// By the environment's TCMUFS_KILL: "PLACE N" or "PLACE OPERATION N", nowhere without. Throws Failure
  /// (EINVAL).
  /// The same one every time.
  static KillPoints& of_environment();
  explicit KillPoints(const std::string& order);

  /// `engine`, with its places. This must outlive it.
  std::unique_ptr<Engine> watched(std::unique_ptr<Engine> engine);
  void sent_on_errand() noexcept;
  void stored(tcmu::Store what, std::span<std::byte> bytes) noexcept override;

 private:
  class WatchedEngine;

  bool is_last(std::string_view place) noexcept;
  bool is_last(std::string_view place, Operation operation) noexcept;

  std::string place_;
  std::string operation_;  // empty: any
  std::atomic<u64> left_ = 0;
};

}  // namespace tcmufs::volume
