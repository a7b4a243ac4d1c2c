#include "volume/kernel.h"

#include <cerrno>

#include "lio/leftovers.h"
#include "lio/node_owner.h"
#include "lio/reservations.h"
#include "sys/error.h"
#include "volume/device_link.h"
#include "volume/doctor.h"
#include "volume/kernel_disk.h"
#include "volume/kill_points.h"

namespace tcmufs::volume {

namespace {

std::string name_of(const std::string& backstore) {
  return backstore.substr(backstore.rfind('/') + 1);
}

std::vector<Uuid> leftovers(lio::ConfigTree& tree, const Uuid& store_uuid) {
  std::vector<Uuid> result;
  for (const std::string& backstore : lio::backstores_of(tree, store_uuid.text())) {
    if (const auto uuid = Uuid::parse(name_of(backstore))) result.push_back(*uuid);
  }
  return result;
}

void remove_leftovers_of(lio::ConfigTree& tree, const Uuid& store_uuid, const Uuid& uuid) {
  for (const std::string& backstore : lio::backstores_of(tree, store_uuid.text())) {
    if (name_of(backstore) == uuid.text()) lio::remove_leftover(tree, backstore, target_wwn(uuid));
  }
  lio::forget_node_owner(scsi::naa_name(uuid));
}

// Its users have been promised more than there is now: another end of the disk would be a lie, an error a
// loss.
void refuse_shrunk_image(const DiskOptions& options) {
  const auto size = linked_disk_size(options.link_root, options.path, scsi::naa_name(options.identity));
  if (!size || *size <= options.format.size_bytes) return;
  throw Failure(ESTALE,
                "the image of " + quoted(options.path) + " has " + std::to_string(options.format.size_bytes) +
                    " bytes, but its disk, still in the kernel, has " + std::to_string(*size),
                "Put back what is missing and attach the volume again");
}

}  // namespace

Registry::Kernel kernel_of(lio::ConfigTree& tree, Targets& targets, const Uuid& store_uuid) {
  return {
      .make_disk = [&tree, &targets](
                       const DiskOptions& options, std::unique_ptr<store::BlockStore> store,
                       std::function<void(const std::string&)> failed) -> std::unique_ptr<Disk> {
        refuse_shrunk_image(options);
#ifdef TCMUFS_KILL_POINTS
        KillPoints& points = KillPoints::of_environment();
        return std::make_unique<KernelDisk>(
            tree, targets, options, std::move(store), std::move(failed),
            [&points](auto& unit, auto& image) { return points.watched(make_engine(unit, image)); }, &points);
#else
        return std::make_unique<KernelDisk>(tree, targets, options, std::move(store), std::move(failed));
#endif
      },
      .holders_of = [](const lio::ScsiDisk& disk) { return lio::lasting_holders_of(disk); },
      .leftovers = [&tree, store_uuid] { return leftovers(tree, store_uuid); },
      .remove_leftover = [&tree,
                          store_uuid](const Uuid& uuid) { remove_leftovers_of(tree, store_uuid, uuid); },
      .forget = [&tree](const Uuid& uuid) { lio::forget_reservations(tree, uuid.text()); },
      .doctor = [&tree](const std::string& store) { return doctor_text(examine(tree, store)); },
  };
}

}  // namespace tcmufs::volume
