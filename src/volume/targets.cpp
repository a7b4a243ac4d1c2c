#include "volume/targets.h"

namespace tcmufs::volume {

std::string target_wwn(const Uuid& uuid) {
  return "naa.5001405" + uuid.hex().substr(0, 9);
}

Targets::Use Targets::use(const std::string& wwn, std::optional<u32> wanted) {
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
  if (slot->luns.contains(lun)) {
    for (lun = 0; slot->luns.contains(lun);) ++lun;
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
