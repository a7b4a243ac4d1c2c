#pragma once

#include <optional>
#include <string>

namespace tcmufs::mountctl {

/// The path of the volume that `name` names: below the mount, or a path that begins with the mount's own.
/// Throws Refusal (usage) for what can be no name, Failure (EPERM) for names that the mount keeps for itself.
std::string volume_name(const std::string& mount, const std::string& name);

/// MNT/.ctl/vol/NAME/FILE.
std::string control_path(const std::string& mount, const std::string& name, const std::string& file);

/// What a person can do about `error` from an operation on the mount (its daemon is dead, the user is shut
/// out); empty where there is nothing to add.
std::string advice_for(const std::string& mount, int error);

/// The contents of a file of the mount; throws Failure with advice.
std::string read_control(const std::string& mount, const std::string& path);

/// The line of .ctl/vol/NAME/FILE; nothing if it cannot be read.
std::optional<std::string> control_line(const std::string& mount, const std::string& name,
                                        const std::string& file);

/// The line of .ctl/FILE; nothing if it cannot be read.
std::optional<std::string> control_line(const std::string& mount, const std::string& file);

/// Writes a line to a file of the mount with one write(2), as its control files take values: 0 or errno.
int write_control(const std::string& path, const std::string& line);

/// Throws Refusal if the mount has no such volume, Failure if it does not answer.
void require_volume(const std::string& mount, const std::string& name);

}  // namespace tcmufs::mountctl
