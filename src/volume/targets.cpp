#include "volume/targets.h"

#include <cerrno>

#include "sys/error.h"

namespace tcmufs::volume {

std::string target_wwn(const Uuid& uuid) {
  return "naa.5001405" + uuid.hex().substr(0, 9);
}

Targets::Use Targets::use(const std::string& wwn, std::optional<u32> wanted, bool required) {
  std::shared_ptr<Slot> slot;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = slots_[wwn];
    if (!entry) entry = std::make_shared<Slot>();
    slot = entry;
  }
  const std::lock_guard lock(slot->mutex);
  if (!slot->target) slot->target = std::make_unique<lio::LoopbackTarget>(tree_, wwn);
  u32 lun = wanted.value_or(0);
  if (wanted && required && slot->luns.contains(lun)) {
    throw Failure(EBUSY, "the target " + quoted(wwn) + " has another disk at LUN " + std::to_string(lun));
  }
  if (!wanted || slot->luns.contains(lun)) {
    // Also not one that the kernel has: its volume may not have come back yet.
    const auto taken = [&](u32 number) {
      return slot->luns.contains(number) ||
             tree_.exists(slot->target->path() + "/lun/lun_" + std::to_string(number));
    };
    for (lun = 0; taken(lun);) ++lun;
  }
  slot->luns.insert(lun);
  return {slot, lun};
}

Targets::Use::~Use() {
  if (!slot_) return;
  const std::lock_guard lock(slot_->mutex);
  slot_->luns.erase(lun_);
  if (slot_->luns.empty()) slot_->target.reset();
}

}  // namespace tcmufs::volume
