#include "device/brought.h"

#include "device/async_engine.h"
#include "device/threaded_engine.h"
#include "device/waiting_store.h"
#include "volume/positional_engine.h"

namespace tcmufs::device {

Brought Brought::asynchronous(std::shared_ptr<AsyncBlockStore> store) {
  Brought brought{.async_store = std::move(store)};
  if (brought.async_store) brought.store = std::make_shared<WaitingStore>(brought.async_store);
  return brought;
}

std::unique_ptr<volume::Engine> make_engine(const Brought& brought, const Unit& unit) {
  if (brought.async_store) return std::make_unique<AsyncEngine>(unit.unit, unit.store, brought.async_store);
  if (brought.handler) {
    return std::make_unique<ThreadedEngine>(
        brought.threads, true,
        [unit, handler = brought.handler](volume::Job& job) { handle(job, unit, *handler); });
  }
  if (brought.threads == 1) return std::make_unique<volume::PositionalEngine>(unit.unit, unit.store);
  return std::make_unique<ThreadedEngine>(brought.threads, false,
                                          [&made = unit.unit, &over = unit.store](volume::Job& job) {
                                            job.response = made.execute(job.plan, job.scsi_command(), over);
                                          });
}

}  // namespace tcmufs::device
