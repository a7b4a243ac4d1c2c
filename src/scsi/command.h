#pragma once

#include <sys/uio.h>

#include <span>

#include "sys/integers.h"

namespace tcmufs::scsi {

/// Told by a command that it has begun what cannot be begun twice.
class PointOfNoReturn {
 public:
  PointOfNoReturn() = default;
  PointOfNoReturn(const PointOfNoReturn&) = delete;
  PointOfNoReturn& operator=(const PointOfNoReturn&) = delete;
  /// COMPARE AND WRITE: the compare has matched, nothing has been written yet. Called in execute().
  virtual void passed() noexcept = 0;

 protected:
  ~PointOfNoReturn() = default;  // nobody owns one as such
};

/// One command as the transport hands it over.
struct Command {
  std::span<const u8> cdb;
  std::span<const iovec>
      buffer;  // data-out or data-in, as the CDB says; may be shorter or longer than it says
  /// A former execution of this very command had passed the point of no return: do what comes after it.
  bool begun = false;
  PointOfNoReturn* point_of_no_return = nullptr;
};

}  // namespace tcmufs::scsi
