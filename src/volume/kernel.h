#pragma once

#include "lio/config_tree.h"
#include "sys/uuid.h"
#include "volume/registry.h"
#include "volume/targets.h"

namespace tcmufs::volume {

/// The real kernel, for the registry of the store `store_uuid`. `tree` and `targets` must outlive it.
Registry::Kernel kernel_of(lio::ConfigTree& tree, Targets& targets, const Uuid& store_uuid);

}  // namespace tcmufs::volume
