#pragma once

#include <memory>

#include "device/handled_command.h"
#include "tcmufs/async_block_store.h"
#include "tcmufs/block_store.h"
#include "tcmufs/command.h"
#include "volume/engine.h"

namespace tcmufs::device {

/// What a caller has brought to serve a device with. An asynchronous store is the store too, for those who
/// wait.
struct Brought {
  std::shared_ptr<CommandHandler> handler{};
  std::shared_ptr<BlockStore> store{};
  std::shared_ptr<AsyncBlockStore> async_store{};
  unsigned threads = 1;

  static Brought asynchronous(std::shared_ptr<AsyncBlockStore> store);

  bool nothing() const noexcept { return !handler && !store; }
  bool has_write_cache() const { return store && store->has_write_cache(); }
  bool can_discard() const { return store && store->can_discard(); }
  /// Whether no two functions of the store may run at once.
  bool one_at_a_time() const noexcept { return threads == 1 && !async_store; }
};

/// What carries the commands of `unit` out with it.
std::unique_ptr<volume::Engine> make_engine(const Brought& brought, const Unit& unit);

}  // namespace tcmufs::device
