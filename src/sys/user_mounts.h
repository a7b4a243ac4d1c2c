#pragma once

#include <string>

namespace tcmufs {

/// What userspace knows of mounts, libmount's /run/mount/utab ($LIBMOUNT_UTAB). umount(8) looks for the
/// helper of a type only if it sees that type in the mount table, which it reads for a mount that has an
/// entry there; of any other it asks statfs(2), which says "fuse". So each mount of ours has one, apart from
/// that of mount(8), if there is any. A stale one does no harm. Where entries cannot be written there are
/// none.

/// Enters the mount on `target` (absolute, without symbolic links), once.
void enter_user_mount(const std::string& target) noexcept;

/// Removes its entry, with those of others for the same target that came later.
void remove_user_mount(const std::string& target) noexcept;

}  // namespace tcmufs
