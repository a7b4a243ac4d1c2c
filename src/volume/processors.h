#pragma once

namespace tcmufs::volume {

/// On how many processors the calling thread may run; 0: the kernel does not say.
int usable_processors() noexcept;

}  // namespace tcmufs::volume
