#pragma once

#include "attach/uio_name.h"
#include "lio/config_tree.h"
#include "scsi/identity.h"
#include "sys/integers.h"
#include "tcmufs/backstores.h"

namespace tcmufs::attach {

/// What the kernel knows of a backstore that somebody has made. Throws Failure.
Backstore read_backstore(lio::ConfigTree& tree, const UioName& name);

/// The attribute emulate_write_cache: whether initiators are to know of a write cache, if what the backstore
/// is made of has one. Off unless somebody turns it on. Throws Failure.
bool read_write_cache(lio::ConfigTree& tree, const UioName& name);

/// Whether some fabric exports it: from then on what it is cannot be changed any more.
bool is_exported(lio::ConfigTree& tree, const UioName& name);

/// What its initiators are to be told of it: vendor, product, revision and unit serial number as they have
/// been set, and the designator that LIO itself would make of that number (spc_gen_naa_6h_vendor_specific),
/// so that it is the same disk whoever serves it. Throws Failure.
scsi::Identity read_identity(lio::ConfigTree& tree, const UioName& name);

}  // namespace tcmufs::attach
