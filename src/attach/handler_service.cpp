#include "attach/handler_service.h"

#include <chrono>

#include "volume/uio_doorbell.h"

namespace tcmufs::attach {

namespace {

constexpr auto device_patience = std::chrono::seconds(10);  // for its node, and for a process that is dying

}  // namespace

HandlerService::HandlerService(Options options)
    : options_(std::move(options)),
      tree_(options_.report),
      surroundings_{.tree = tree_,
                    .name_of = [](u32 minor) { return uio_name_of(minor); },
                    .open_doorbell =
                        [](const std::string& uio_name) {
                          return std::make_unique<volume::UioDoorbell>(uio_name,
                                                                       Deadline::after(device_patience));
                        },
                    .open_store = options_.open_store,
                    .answer = [this](const Notice& notice, int status) { netlink_.answer(notice, status); },
                    .report = options_.report},
      attachments_(options_.handler.name, netlink_, surroundings_) {
  if (options_.bus) bus_.emplace(options_.handler, options_.report);
}

}  // namespace tcmufs::attach
