#pragma once

#include <cerrno>
#include <new>
#include <system_error>

#include "sys/error.h"
#include "tcmufs/error.h"

namespace tcmufs::device {

/// A caller's error as an errno value; EIO if it is of another kind.
inline std::error_code errno_of(const std::error_code& code) noexcept {
  const bool is_errno =
      code.category() == std::generic_category() || code.category() == std::system_category();
  return {is_errno && code.value() > 0 ? code.value() : EIO, std::generic_category()};
}

/// The errno value of what a caller's function has thrown; EIO if it has none. Within a handler only.
inline std::error_code thrown_error() noexcept {
  try {
    throw;
  } catch (const std::system_error& error) {
    return errno_of(error.code());
  } catch (const std::bad_alloc&) {
    return {ENOMEM, std::generic_category()};
  } catch (...) {
    return {EIO, std::generic_category()};
  }
}

/// Runs a function of a caller, which may throw whatever it likes.
template <typename Function>
std::error_code attempt(Function function) noexcept {
  try {
    function();
    return {};
  } catch (...) {
    return thrown_error();
  }
}

/// Runs `work`; what it throws leaves the library as an Error.
template <typename Work>
auto as_error(Work work) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const std::system_error& error) {
    throw Error(error.code().value(), error.what());
  }
}

[[noreturn]] inline void refuse(const std::string& sentence, const std::string& advice) {
  throw Failure(EINVAL, sentence, advice);
}

}  // namespace tcmufs::device
