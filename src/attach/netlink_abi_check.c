#include <linux/target_core_user.h>

#include "attach/netlink_abi.h"

_Static_assert((int)netlink_attribute_device == TCMU_ATTR_DEVICE, "abi");
_Static_assert((int)netlink_attribute_minor == TCMU_ATTR_MINOR, "abi");
_Static_assert((int)netlink_attribute_command_status == TCMU_ATTR_CMD_STATUS, "abi");
_Static_assert((int)netlink_attribute_dev_config == TCMU_ATTR_DEV_CFG, "abi");
_Static_assert((int)netlink_attribute_dev_size == TCMU_ATTR_DEV_SIZE, "abi");
_Static_assert((int)netlink_attribute_write_cache == TCMU_ATTR_WRITECACHE, "abi");
_Static_assert((int)netlink_attribute_device_id == TCMU_ATTR_DEVICE_ID, "abi");
_Static_assert((int)netlink_attribute_last == TCMU_ATTR_SUPP_KERN_CMD_REPLY, "abi");
_Static_assert((int)netlink_added == TCMU_CMD_ADDED_DEVICE, "abi");
_Static_assert((int)netlink_removed == TCMU_CMD_REMOVED_DEVICE, "abi");
_Static_assert((int)netlink_reconfigured == TCMU_CMD_RECONFIG_DEVICE, "abi");
_Static_assert((int)netlink_added_done == TCMU_CMD_ADDED_DEVICE_DONE, "abi");
_Static_assert((int)netlink_removed_done == TCMU_CMD_REMOVED_DEVICE_DONE, "abi");
_Static_assert((int)netlink_reconfigured_done == TCMU_CMD_RECONFIG_DEVICE_DONE, "abi");
