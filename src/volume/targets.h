#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "lio/config_tree.h"
#include "lio/loopback.h"
#include "sys/integers.h"
#include "sys/uuid.h"

namespace tcmufs::volume {

/// The loopback target's name for a volume or directory: NAA 5 with LIO's OUI, then 9 digits of the uuid.
std::string target_wwn(const Uuid& uuid);

/// The loopback targets that are in use. A target is made when its first LUN is wanted and removed after its
/// last one has been let go. All members may be called from any thread; making or removing one target never
/// waits for another.
class Targets {
 public:
  class Use;

  explicit Targets(lio::ConfigTree& tree) : tree_(tree) {}

  /// A LUN of the target `wwn`: `wanted` if it is free there, else the lowest that is, or Failure (EBUSY) if
  /// it is `required`.
  Use use(const std::string& wwn, std::optional<u32> wanted, bool required = false);

 private:
  struct Slot {
    std::mutex mutex;  // held while the target is made or removed
    std::unique_ptr<lio::LoopbackTarget> target;
    std::set<u32> luns;
  };

  lio::ConfigTree& tree_;
  std::mutex mutex_;  // guards slots_; never held while a Slot's mutex is waited for
  std::map<std::string, std::shared_ptr<Slot>> slots_;
};

/// The right to one LUN number of a target, which exists as long as this does.
class Targets::Use {
 public:
  Use(std::shared_ptr<Slot> slot, u32 lun) : slot_(std::move(slot)), lun_(lun) {}
  ~Use();
  Use(Use&& other) noexcept = default;
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  Use& operator=(Use&&) = delete;

  lio::LoopbackTarget& target() const { return *slot_->target; }
  u32 lun() const noexcept { return lun_; }

 private:
  std::shared_ptr<Slot> slot_;
  u32 lun_;
};

}  // namespace tcmufs::volume
