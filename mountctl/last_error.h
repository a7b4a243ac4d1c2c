#pragma once

#include <string>

#include "mountctl/refusal.h"

namespace tcmufs::mountctl {

/// Why the mount refuses an operation. Only an errno comes back from a system call; the sentence is in a
/// last_error file, of the volume or of the whole mount, where an older refusal may stand still. Make one
/// before the operation.
class LastError {
 public:
  LastError(std::string mount, std::string name);

  /// The refusal of the operation that has just failed with `error`: `attempt` ("cannot create 'db0'"), then
  /// the sentence that the volume, else the mount, has about it, else the errno in words. A sentence is about
  /// it if it is new, or has this errno (that of the mount: and this volume) in it.
  Refusal refusal(const std::string& attempt, int error) const;

 private:
  struct Sentences {
    std::string volume;
    std::string mount;
  };

  Sentences read() const;

  std::string mount_;
  std::string name_;
  Sentences before_;
};

}  // namespace tcmufs::mountctl
