#pragma once

#include <scsi/sg.h>

#include <string>

#include "scsi/logical_unit.h"
#include "support/memory_store.h"

namespace tcmufs::test {

/// SG_IO on a disk: 0, or a negative errno value.
int sg_io(scsi::LogicalUnit& unit, store::BlockStore& store, sg_io_hdr& header);

/// A logical unit over memory behind the interface of the sg driver, version 3.
class SgDevice {
 public:
  explicit SgDevice(const scsi::Format& format)
      : format_(format), store_(format.size_bytes), unit_({}, format) {}

  /// The format of the environment: TCMUFS_SG_SIZE, TCMUFS_SG_BLOCK and TCMUFS_SG_PHYSICAL, in bytes.
  static scsi::Format format_of_environment();

  /// ioctl(2): 0, or a negative errno value.
  int control(unsigned long request, void* argument);

 private:
  const scsi::Format format_;
  MemoryStore store_;
  scsi::LogicalUnit unit_;
};

}  // namespace tcmufs::test
