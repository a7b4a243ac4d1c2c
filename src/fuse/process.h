#pragma once

#include <sys/types.h>

namespace tcmufs::fuse {

/// FUSE says which thread a request comes from; this is the process (thread-group id) it belongs to, or
/// `thread` if that cannot be known any more.
pid_t process_of(pid_t thread);

/// The same, but what was true within the last second will do: for requests that come by the thousand.
pid_t recent_process_of(pid_t thread);

}  // namespace tcmufs::fuse
