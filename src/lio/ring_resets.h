#pragma once

#include <string>
#include <thread>

#include "lio/config_tree.h"

namespace tcmufs::lio {

/// While it lives, every command that a backstore's device gets fails soon (NOT READY), because its ring is
/// reset again and again: so that what waits in the kernel for an answer nobody will give comes to its end,
/// be it an unlink of a LUN, or the link in which a daemon was killed, whose remains keep the uio busy
/// (EBUSY) until then. Only for a ring that no process serves or will serve meanwhile; what the commands were
/// to write is lost.
class RingResets {
 public:
  RingResets(ConfigTree& tree, const std::string& backstore);

 private:
  std::jthread thread_;
};

}  // namespace tcmufs::lio
