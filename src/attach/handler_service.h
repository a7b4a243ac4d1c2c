#pragma once

#include <memory>
#include <optional>

#include "attach/attachments.h"
#include "attach/bus.h"
#include "attach/netlink.h"
#include "lio/configfs.h"

namespace tcmufs::attach {

/// Serves all backstores of a handler on this machine, and lets targetcli know of it.
class HandlerService {
 public:
  struct Options {
    HandlerDescription handler;
    std::function<Opened(const Backstore& backstore)> open_store;
    std::function<void(const std::string& sentence)> report;  // any thread; must not throw
    bool bus = true;
  };

  /// The kernel has been prepared. Throws Failure.
  explicit HandlerService(Options options);
  ~HandlerService() = default;
  HandlerService(const HandlerService&) = delete;
  HandlerService& operator=(const HandlerService&) = delete;

  std::vector<Backstore> served() const { return attachments_.served(); }

 private:
  const Options options_;
  lio::Configfs tree_;
  Netlink netlink_;
  Surroundings surroundings_;
  Attachments attachments_;
  std::optional<Bus> bus_;  // last: whoever asks finds backstores served
};

}  // namespace tcmufs::attach
