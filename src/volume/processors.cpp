#include "volume/processors.h"

#include <sched.h>

namespace tcmufs::volume {

int usable_processors() noexcept {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  return ::sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 0;
}

}  // namespace tcmufs::volume
