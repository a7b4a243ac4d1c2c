#pragma once

#include <sys/epoll.h>

#include "tcmu/uio.h"
#include "volume/server.h"

namespace tcmufs::volume {

/// A TCMU device as the doorbell of its ring.
class UioDoorbell final : public Doorbell {
 public:
  UioDoorbell(const std::string& name, const Deadline& deadline) : uio_(name, deadline) {}

  std::span<std::byte> memory() noexcept override { return uio_.memory(); }
  int fd() const noexcept override { return uio_.fd(); }
  bool present(u32 events) const noexcept override { return (events & (EPOLLERR | EPOLLHUP)) == 0; }
  bool acknowledge() noexcept override { return uio_.acknowledge(); }
  bool notify() noexcept override { return uio_.notify(); }

 private:
  tcmu::Uio uio_;
};

}  // namespace tcmufs::volume
