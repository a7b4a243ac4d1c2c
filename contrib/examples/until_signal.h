#pragma once

#include <pthread.h>
#include <signal.h>
#include <tcmufs/device.h>

#include <iostream>

/// Blocks SIGINT and SIGTERM from construction on, so that they end a program by way of its destructors.
class UntilSignal {
 public:
  UntilSignal() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  /// Says where the device is, and waits.
  void serve(const tcmufs::Device& device) const {
    std::cout << device.path() << std::endl;
    wait();
  }
  void wait() const {
    int signal = 0;
    sigwait(&signals_, &signal);
  }

 private:
  sigset_t signals_{};
};
