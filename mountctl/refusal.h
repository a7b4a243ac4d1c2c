#pragma once

#include <stdexcept>
#include <string>

namespace tcmufs::mountctl {

/// What mountctl says to its caller: part of its interface, documented in mountctl(8).
enum class ExitStatus { done = 0, failed = 1, usage = 2, timed_out = 3 };

/// The end of a command that could not do what it was asked: a sentence for a person, and the exit status.
class Refusal : public std::runtime_error {
 public:
  Refusal(ExitStatus status, const std::string& sentence) : std::runtime_error(sentence), status_(status) {}

  ExitStatus status() const noexcept { return status_; }

 private:
  ExitStatus status_;
};

}  // namespace tcmufs::mountctl
