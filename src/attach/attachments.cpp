#include "attach/attachments.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "lio/keeper.h"
#include "sys/error.h"
#include "sys/quiet_thread.h"

namespace tcmufs::attach {

Attachments::Attachments(std::string handler, NoticeSource& source, const Surroundings& surroundings,
                         std::string sysfs)
    : handler_(std::move(handler)),
      source_(source),
      surroundings_(surroundings),
      sysfs_(std::move(sysfs)),
      stop_(make_event()) {
  look_again();
  thread_ = quiet_thread([this] { run(); });
}

Attachments::~Attachments() {
  raise_event(stop_.number());
  thread_.join();
}

bool Attachments::is_ours(const UioName& name) const {
  return name.handler() == handler_ && !lio::keeper_of(name.dev_config, name.name);
}

std::vector<Backstore> Attachments::served() const {
  const std::lock_guard held(mutex_);
  std::vector<Backstore> served;
  for (const Attachment& attachment : attachments_) {
    if (auto backstore = attachment.served()) served.push_back(*std::move(backstore));
  }
  return served;
}

void Attachments::run() noexcept {
  std::array<pollfd, 2> watched{{{stop_.number(), POLLIN, 0}, {source_.fd(), POLLIN, 0}}};
  for (;;) {
    if (::poll(watched.data(), watched.size(), -1) <= 0) continue;
    if (watched[0].revents != 0) return;
    for (Notice& notice : source_.take()) {
      try {
        take_note(std::move(notice));
      } catch (const std::exception& error) {
        surroundings_.report(error.what());
      }
    }
    forget_ended();
  }
}

void Attachments::take_note(Notice notice) {
  if (notice.kind == Notice::Kind::missed) return look_again();
  if (notice.kind == Notice::Kind::added) {
    const auto name = UioName::parse(notice.name);
    if (!name || !is_ours(*name)) return;
    const UioDevice device{notice.minor, *name};
    return add(device, std::move(notice));
  }
  if (Attachment* const attachment = find(notice.minor)) attachment->post(std::move(notice));
}

void Attachments::add(const UioDevice& device, std::optional<Notice> notice) {
  if (Attachment* const before = find(device.minor)) {
    if (before->backstore() == device.name.backstore()) {
      if (notice) before->post(*notice);  // it was found before it was told of
      return;
    }
    before->post({.kind = Notice::Kind::removed});  // that was missed, and its number has been used again
  }
  const std::lock_guard held(mutex_);
  attachments_.emplace_back(surroundings_, device, std::move(notice));
}

// What is there now is what counts.
void Attachments::look_again() {
  const std::vector<UioDevice> devices = uio_devices(sysfs_);
  for (Attachment& attachment : attachments_) {
    if (attachment.removed()) continue;
    const bool there = std::any_of(devices.begin(), devices.end(), [&](const UioDevice& device) {
      return device.minor == attachment.minor() && is_ours(device.name);
    });
    attachment.post({.kind = there ? Notice::Kind::missed : Notice::Kind::removed});
  }
  for (const UioDevice& device : devices) {
    if (is_ours(device.name)) add(device, std::nullopt);
  }
}

// One that waits for a store that hangs is let be.
void Attachments::forget_ended() {
  const std::lock_guard held(mutex_);
  attachments_.remove_if([](const Attachment& attachment) { return attachment.ended(); });
}

Attachment* Attachments::find(u32 minor) {
  const auto found = std::find_if(attachments_.begin(), attachments_.end(), [&](const Attachment& one) {
    return one.minor() == minor && !one.removed();
  });
  return found == attachments_.end() ? nullptr : &*found;
}

}  // namespace tcmufs::attach
