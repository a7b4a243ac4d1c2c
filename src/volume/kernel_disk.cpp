#include "volume/kernel_disk.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lio/disk_event.h"
#include "lio/disk_queue.h"
#include "lio/keeper.h"
#include "lio/leftovers.h"
#include "sys/error.h"

namespace tcmufs::volume {

namespace {

// Those who only look (udev, blkid) are waited for that long.
constexpr auto looking_grace = std::chrono::seconds(5);

constexpr auto first_patience = std::chrono::seconds(3);

lio::BackstoreOptions backstore_options(const DiskOptions& options) {
  lio::BackstoreOptions result;
  result.name = options.identity.uuid.text();
  result.dev_config = lio::dev_config_for(options.keeper, result.name);
  result.serial = result.name;
  result.hba = options.hba;
  result.size_bytes = options.format.size_bytes;
  result.block_size_bytes = options.format.block_size_bytes;
  result.max_data_area_mb = options.settings.max_data_area_mb;
  result.ring_size_mb = options.settings.cmd_ring_size_mb;
  result.data_pages_per_block = options.settings.data_pages_per_blk;
  result.command_timeout_s = options.settings.cmd_timeout_s;
  return result;
}

scsi::Format format_over(scsi::Format format, const store::BlockStore& store) {
  format.allocation_unit_bytes = store.allocation_unit_bytes();
  return format;
}

}  // namespace

// A step that fails must not take away a disk that was there before, and that somebody may use.
template <typename Step>
auto KernelDisk::keeping_what_was_there(Step step) {
  try {
    return step();
  } catch (...) {
    if (lun_.taken_over()) {
      lun_.abandon();
      node_owner_.abandon();
      target_.target().abandon();
      backstore_.abandon();
    }
    throw;
  }
}

KernelDisk::KernelDisk(lio::ConfigTree& tree, Targets& targets, const DiskOptions& options,
                       std::unique_ptr<store::BlockStore> store,
                       std::function<void(const std::string&)> failed, const EngineMaker& make,
                       tcmu::StoreObserver* observer)
    : store_(std::move(store)),
      unit_(options.identity, format_over(options.format, *store_)),
      backstore_(tree, backstore_options(options)),
      doorbell_(backstore_.uio_name(), options.deadline),
      engine_(make(unit_, *store_)),
      server_(doorbell_, unit_, *engine_, options.statistics, std::move(failed), observer),
      target_(place(tree, targets, options, backstore_)),
      node_owner_(scsi::naa_name(options.identity), options.owner),
      lun_(target_.target(), target_.lun(), backstore_),
      device_(keeping_what_was_there([&] {
        lio::ScsiDisk device = find_device(options.format.size_bytes, options.deadline);
        node_owner_.give(device, lun_.taken_over());
        return device;
      })),
      link_(
          keeping_what_was_there([&] { return DeviceLink(options.link_root, options.path, device_.node); })) {
  if (!lun_.taken_over()) {
    lio::bypass_scheduler(device_);
    lio::announce_change(device_);
  }
  try {
    tune(options.settings);
  } catch (const std::exception& error) {
    untuned_ = error.what();
  }
}

std::string KernelDisk::warning() const {
  const std::string& lost = lun_.lost_reservations();
  return lost + (lost.empty() || untuned_.empty() ? "" : "; ") + untuned_;
}

void KernelDisk::tune(const Settings& settings) {
  lio::tune_queue(device_, settings.queue_depth, settings.read_ahead_kb);
  server_.be_patient_for(settings.poll_us);
}

// A disk that is taken over stays where it is, wherever its volume has been moved to meanwhile.
Targets::Use KernelDisk::place(lio::ConfigTree& tree, Targets& targets, const DiskOptions& options,
                               const lio::Backstore& backstore) {
  if (backstore.taken_over()) {
    const auto links = lio::loopback_links_of(tree, backstore.path());
    if (!links.empty()) return targets.use(links.front().wwn(), links.front().lun());
  }
  return targets.use(options.target_wwn, options.lun, options.lun_required);
}

// Of several LUNs that are linked at about the same time the kernel's scan misses some. Linking a missed one
// anew makes it look again; more patiently each time, for the machine may only be slow.
lio::ScsiDisk KernelDisk::find_device(u64 size_bytes, const Deadline& deadline) {
  for (auto patience = first_patience;; patience *= 2) {
    try {
      return lio::wait_for_disk(lun_.address(), size_bytes, std::min(deadline, Deadline::after(patience)));
    } catch (const Failure& failure) {
      if (failure.error() != ETIMEDOUT || deadline.passed()) throw;
      if (!lio::is_known(lun_.address())) lun_.relink();
    }
  }
}

Fd KernelDisk::claim_idle() const {
  return lio::claim_disk(device_, looking_grace);
}

void KernelDisk::flush(const Fd& claim) const {
  if (claim) lio::flush_disk(claim, device_.node);
}

std::string KernelDisk::flush_used() const noexcept {
  try {
    lio::flush_used_disk(device_);
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

void KernelDisk::move_link(const std::string& path) {
  link_.move(path);
  // For what is mounted by the old name, systemd would take the new one for the end of the device.
  if (lio::lasting_holders_of(device_).empty()) lio::announce_change(device_);
}

void KernelDisk::resize(u64 size_bytes, const Deadline& deadline) {
  const u64 before = store_->size_bytes();
  if (size_bytes == before) return;
  // Bytes that the disk offers are always in the store: it grows first and shrinks last.
  if (size_bytes > before) {
    if (const auto error = store_->resize(size_bytes)) {
      throw Failure(error.value(), "cannot grow the image to " + std::to_string(size_bytes) + " bytes");
    }
  }
  unit_.resize(size_bytes);
  try {
    lio::rescan_disk(device_, size_bytes, deadline);
    if (size_bytes < before) {
      if (const auto error = store_->resize(size_bytes)) {
        throw Failure(error.value(), "cannot shrink the image to " + std::to_string(size_bytes) + " bytes");
      }
    }
  } catch (...) {
    put_back(before, deadline);
    throw;
  }
}

// What cannot be put back does no harm: the image is never smaller than what the disk offers.
void KernelDisk::put_back(u64 size_bytes, const Deadline& deadline) noexcept {
  unit_.resize(size_bytes);
  try {
    lio::rescan_disk(device_, size_bytes, deadline);
    if (store_->size_bytes() > size_bytes) static_cast<void>(store_->resize(size_bytes));
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace tcmufs::volume
