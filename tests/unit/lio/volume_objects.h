#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "lio/backstore.h"
#include "lio/loopback.h"
#include "support/fake_configfs.h"

namespace tcmufs::test {

inline const std::string store_uuid = "11111111-2222-4333-8444-555555555555";
inline const std::string volume_uuid = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
inline const std::string volume_wwn = "naa.5001405000000001";

inline lio::BackstoreOptions volume_options(const std::string& uuid = volume_uuid) {
  lio::BackstoreOptions options;
  options.name = uuid;
  options.dev_config = "tcmufs/" + store_uuid + "/" + uuid;
  options.serial = uuid;
  options.size_bytes = 1 << 20;
  return options;
}

/// All configfs objects of a volume that is a target of its own.
struct VolumeObjects {
  explicit VolumeObjects(lio::ConfigTree& tree, u32 number = 0)
      : backstore(tree, volume_options()), target(tree, volume_wwn), lun(target, number, backstore) {}

  void abandon() noexcept {
    lun.abandon();
    target.abandon();
    backstore.abandon();
  }
  void remove() {
    lun.remove();
    target.remove();
    backstore.remove();
  }

  lio::Backstore backstore;
  lio::LoopbackTarget target;
  lio::Lun lun;
};

/// What other tools have in the tree: a device of tcmu-runner and one of tcmufs-backstores, which are
/// targetcli's, and a target with a file's device as its LUN.
inline void add_foreign_objects(FakeConfigfs& tree) {
  tree.make_directory("core/user_0");
  tree.make_directory("core/user_0/vol");
  tree.write("core/user_0/vol/control", "dev_size=4096,dev_config=file//var/x");
  tree.write("core/user_0/vol/enable", "1");
  tree.make_directory("core/user_7");
  tree.make_directory("core/user_7/x");
  tree.write("core/user_7/x/control", "dev_size=4096,dev_config=tcmufs//var/x");
  tree.write("core/user_7/x/enable", "1");
  tree.make_directory("core/fileio_1");
  tree.make_directory("core/fileio_1/disk");
  tree.write("core/fileio_1/disk/enable", "1");
  tree.make_directory("loopback/naa.6001405999999999");
  tree.make_directory("loopback/naa.6001405999999999/tpgt_1");
  tree.write("loopback/naa.6001405999999999/tpgt_1/nexus", "naa.6001405999999998");
  tree.make_directory("loopback/naa.6001405999999999/tpgt_1/lun/lun_0");
  tree.link("core/fileio_1/disk", "loopback/naa.6001405999999999/tpgt_1/lun/lun_0/disk");
}

/// How often `operation` was carried out.
inline auto count_of(const FakeConfigfs& tree, const std::string& operation) {
  const auto operations = tree.operations();
  return std::count(operations.begin(), operations.end(), operation);
}

}  // namespace tcmufs::test
