#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::attach {

/// What the kernel tells of TCMU devices (generic netlink, family TCM-USER, group "config").
struct Notice {
  enum class Kind {
    added,
    removed,       // it is about to be
    reconfigured,  // one of the three below is about to change
    missed,        // there were more than could be told
  };
  Kind kind = Kind::missed;
  u32 minor = 0;                   // of /dev/uio<minor>
  std::string name{};              // of the UIO device
  std::optional<u32> device_id{};  // what an answer goes by

  std::optional<u64> size{};
  std::optional<bool> write_cache{};
  std::optional<std::string> dev_config{};
};

/// Where notices come from: the kernel, or a test.
class NoticeSource {
 public:
  NoticeSource() = default;
  NoticeSource(const NoticeSource&) = delete;
  NoticeSource& operator=(const NoticeSource&) = delete;
  virtual ~NoticeSource() = default;

  /// Polls readable when take() has something.
  virtual int fd() const noexcept = 0;
  /// What has come since the last call; does not wait.
  virtual std::vector<Notice> take() = 0;
  /// Tells the kernel how it went (`status`: 0 or an errno value), for it may wait for that before it lets
  /// whoever makes, removes or changes the device go on. Any thread.
  virtual void answer(const Notice& notice, int status) noexcept = 0;
};

}  // namespace tcmufs::attach
