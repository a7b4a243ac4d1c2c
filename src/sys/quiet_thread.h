#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace tcmufs {

/// All signals are blocked in the thread that makes it, as long as it lives.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

/// A thread that no signal reaches: they are for the program's own threads. Throws std::system_error.
template <typename Function>
std::thread quiet_thread(Function function) {
  const SignalsBlocked blocked;
  return std::thread(std::move(function));
}

}  // namespace tcmufs
