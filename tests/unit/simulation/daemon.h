#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scsi/logical_unit.h"
#include "sys/fd.h"
#include "unit/simulation/initiator.h"
#include "unit/simulation/world.h"
#include "volume/dispatcher.h"
#include "volume/file_engine.h"

namespace tcmufs::simulation {

/// What takes long on an image, done when it is told to: in any order, in pieces, interrupted.
class SimulatedIo final : public volume::AsyncIo {
 public:
  explicit SimulatedIo(store::BlockStore& image, Initiator& chance) : image_(image), chance_(chance) {}

  bool busy() const { return !started_.empty(); }
  /// Does one of the operations that have been started.
  void step(Initiator& chance);

  void start(volume::AsyncOperation& operation) noexcept override { started_.push_back(&operation); }
  void flush() noexcept override {}
  volume::AsyncOperation* finished() noexcept override;
  void wait() noexcept override { step(chance_); }
  int fd() const noexcept override { return -1; }
  std::string name() const override { return "simulated"; }

 private:
  store::BlockStore& image_;
  Initiator& chance_;
  std::vector<volume::AsyncOperation*> started_;
  std::vector<volume::AsyncOperation*> done_;
};

/// All that a serving thread works with, without the thread.
class World::Daemon {
 public:
  Daemon(std::span<std::byte> ring, store::BlockStore& image, tcmu::StoreObserver& observer,
         Initiator& chance);

  SimulatedIo& io() { return *io_; }
  void take() { dispatcher_.take(0); }
  /// Time does not pass here: what waits for room comes again at once, as when a daemon ends.
  void finish() {
    dispatcher_.finish();
    if (dispatcher_.must_look()) dispatcher_.let_go();
  }
  bool commit() { return dispatcher_.ring().commit(); }
  const std::string& fault() { return dispatcher_.ring().fault(); }

 private:
  scsi::LogicalUnit unit_;
  Fd no_file_;
  SimulatedIo* io_;
  volume::FileEngine engine_;
  volume::Statistics statistics_;
  volume::Dispatcher dispatcher_;
};

}  // namespace tcmufs::simulation
