#pragma once

#include <string>
#include <system_error>

namespace tcmufs {

/// "ENOSPC" for ENOSPC; "errno 999" for a number without a name.
std::string errno_name(int error);

/// A failure with an errno value and a sentence for a person: what was tried, where, why it failed, and
/// what to do about it. what() reads "SENTENCE: No space left on device (ENOSPC)[. ADVICE]".
class Failure : public std::system_error {
 public:
  Failure(int error, const std::string& sentence, const std::string& advice = {});

  /// One that another process had: `text` is what its what() said.
  static Failure relayed(int error, const std::string& text);

  const char* what() const noexcept override { return text_.c_str(); }
  int error() const noexcept { return code().value(); }

 private:
  std::string text_;
};

/// Throws Failure with the present errno.
[[noreturn]] void throw_errno(const std::string& sentence, const std::string& advice = {});

/// `text` in single quotes, control bytes as \xNN, so that a name can stand in a sentence.
std::string quoted(const std::string& text);

}  // namespace tcmufs
