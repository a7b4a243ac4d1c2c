#pragma once

#include <fuse_lowlevel.h>

#include <cerrno>
#include <exception>
#include <new>
#include <optional>
#include <type_traits>

#include "sys/error.h"

namespace tcmufs::fuse {

/// What may be sent to the kernel for `error`: it takes 1..511 only (for others it keeps the caller waiting),
/// and ENOSYS would mean that we never want to hear of such requests again.
inline int sendable(int error) {
  if (error == ENOSYS) return EOPNOTSUPP;
  return error >= 1 && error <= 511 ? error : EIO;
}

/// Answers one request: `send` gets what `compute` returns (nothing: success alone is sent); what it throws
/// goes out as an errno. The only place where failures end.
template <typename Compute, typename Send>
void serve(fuse_req_t request, Compute compute, Send send) {
  int error = EIO;
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Compute>>) {
      compute();
      error = 0;
    } else {
      send(compute());
      return;
    }
  } catch (const std::system_error& failure) {
    error = sendable(failure.code().value());
  } catch (const std::bad_alloc&) {
    error = ENOMEM;
  } catch (const std::exception& failure) {
    fuse_log(FUSE_LOG_ERR, "tcmufs: a request failed unexpectedly: %s\n", failure.what());
  }
  fuse_reply_err(request, error);
}

template <typename Compute>
void serve(fuse_req_t request, Compute compute) {
  serve(request, compute, nullptr);
}

}  // namespace tcmufs::fuse
