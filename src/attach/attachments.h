#pragma once

#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "attach/attachment.h"
#include "attach/notices.h"

namespace tcmufs::attach {

/// Serves all backstores of one handler: those that are there, and those of which there is notice. But not
/// the disks of daemons and of tcmufs::Device, whose dev_config looks like that of a handler "tcmufs".
class Attachments {
 public:
  /// `source` listens already, so that nothing falls between what is found and what is told. All of the
  /// arguments outlive it.
  Attachments(std::string handler, NoticeSource& source, const Surroundings& surroundings,
              std::string sysfs = "/sys");
  /// Finishes what has been taken. The backstores stay.
  ~Attachments();
  Attachments(const Attachments&) = delete;
  Attachments& operator=(const Attachments&) = delete;

  std::vector<Backstore> served() const;

 private:
  bool is_ours(const UioName& name) const;
  void run() noexcept;
  void take_note(Notice notice);
  void add(const UioDevice& device, std::optional<Notice> notice);
  void look_again();
  void forget_ended();
  Attachment* find(u32 minor);

  const std::string handler_;
  NoticeSource& source_;
  const Surroundings& surroundings_;
  const std::string sysfs_;
  Fd stop_;
  mutable std::mutex mutex_;
  std::list<Attachment> attachments_;  // guarded by mutex_, but for its own thread's reading
  std::thread thread_;
};

}  // namespace tcmufs::attach
