#pragma once

#include <functional>
#include <string>

namespace tcmufs {

/// Fits the process for a place below the block layer: memory locked, PF_IO_FLUSHER (its own allocations
/// never wait for the write-back that it must serve), last to be chosen when memory runs out, as many
/// descriptors as there may be. What the system refuses is logged: the disks work without.
void protect_process(const std::function<void(const std::string&)>& log);

}  // namespace tcmufs
