#pragma once

// linux/target_core_user.h, which C++ cannot include: what goes over generic netlink. netlink_abi_check.c
// compares.

enum {
  netlink_attribute_device = 1,
  netlink_attribute_minor = 2,
  netlink_attribute_command_status = 7,
  netlink_attribute_dev_config = 4,
  netlink_attribute_dev_size = 5,
  netlink_attribute_write_cache = 6,
  netlink_attribute_device_id = 8,
  netlink_attribute_last = 9,

  netlink_added = 1,
  netlink_removed = 2,
  netlink_reconfigured = 3,
  netlink_added_done = 4,
  netlink_removed_done = 5,
  netlink_reconfigured_done = 6,
};
