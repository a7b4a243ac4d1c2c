#pragma once

#include <memory>
#include <mutex>

#include "attach/notices.h"

struct nl_sock;

namespace tcmufs::attach {

/// The kernel's notices. It never asks the kernel to wait for answers, which would be the whole machine's
/// affair: a program that does, and dies, hangs everybody who makes or removes a TCMU device. It answers, for
/// another may have asked for that.
class Netlink final : public NoticeSource {
 public:
  /// Throws Failure: ENOENT (the kernel has no target_core_user), EPERM.
  Netlink();
  ~Netlink() override = default;

  int fd() const noexcept override;
  std::vector<Notice> take() override;
  void answer(const Notice& notice, int status) noexcept override;

 private:
  struct Free {
    void operator()(nl_sock* socket) const noexcept;
  };
  using Socket = std::unique_ptr<nl_sock, Free>;
  static Socket connect();

  Socket notices_;
  std::mutex mutex_;
  Socket answers_;  // guarded by mutex_
  int family_ = 0;
};

}  // namespace tcmufs::attach
