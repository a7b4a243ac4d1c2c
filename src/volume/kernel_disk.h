#pragma once

#include "lio/backstore.h"
#include "lio/loopback.h"
#include "lio/node_owner.h"
#include "volume/device_link.h"
#include "volume/disk.h"
#include "volume/file_engine.h"
#include "volume/server.h"
#include "volume/targets.h"
#include "volume/uio_doorbell.h"

namespace tcmufs::volume {

/// A disk of the kernel: TCMU backstore, loopback target, LUN. If the kernel has it already (a daemon died),
/// it is taken over.
///
/// The order of the members is the protocol: the ring is served before the LUN is linked and until after it
/// has been unlinked; each member undoes itself.
class KernelDisk final : public Disk {
 public:
  using EngineMaker = std::function<std::unique_ptr<Engine>(scsi::LogicalUnit&, store::BlockStore&)>;

  /// `observer` is the ring's.
  KernelDisk(lio::ConfigTree& tree, Targets& targets, const DiskOptions& options,
             std::unique_ptr<store::BlockStore> store, std::function<void(const std::string&)> failed,
             const EngineMaker& make = make_engine, tcmu::StoreObserver* observer = nullptr);

  Fd claim_idle() const override;
  void flush(const Fd& claim) const override;
  bool is_gone() const override { return lio::is_gone(device_); }
  std::string flush_used() const noexcept override;
  void resize(u64 size_bytes, const Deadline& deadline) override;
  void tune(const Settings& settings) override;
  void give_to(const lio::FileOwner& owner) override { node_owner_.change(owner, device_); }
  void move_link(const std::string& path) override;
  const lio::ScsiDisk& device() const noexcept override { return device_; }
  u32 lun() const noexcept override { return target_.lun(); }
  std::string link() const override { return link_.full(); }
  std::string engine() const override { return engine_->name(); }
  bool untouched() const noexcept override { return unit_.medium_changes() == 0; }
  std::string warning() const override;

 private:
  static Targets::Use place(lio::ConfigTree& tree, Targets& targets, const DiskOptions& options,
                            const lio::Backstore& backstore);
  template <typename Step>
  auto keeping_what_was_there(Step step);
  lio::ScsiDisk find_device(u64 size_bytes, const Deadline& deadline);
  void put_back(u64 size_bytes, const Deadline& deadline) noexcept;

  std::unique_ptr<store::BlockStore> store_;
  scsi::LogicalUnit unit_;
  lio::Backstore backstore_;
  UioDoorbell doorbell_;
  std::unique_ptr<Engine> engine_;
  Server server_;
  Targets::Use target_;
  lio::NodeOwner node_owner_;  // udev knows it before there is a disk
  lio::Lun lun_;
  lio::ScsiDisk device_;
  DeviceLink link_;
  std::string untuned_;  // why some setting does not hold, in words
};

}  // namespace tcmufs::volume
