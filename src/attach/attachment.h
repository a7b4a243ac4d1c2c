#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "attach/notices.h"
#include "attach/uio_name.h"
#include "lio/config_tree.h"
#include "store/block_store.h"
#include "sys/fd.h"
#include "tcmufs/backstores.h"
#include "volume/engine.h"
#include "volume/server.h"

namespace tcmufs::attach {

/// What a handler serves a backstore with.
struct Opened {
  std::unique_ptr<store::BlockStore> store;
  std::function<std::unique_ptr<volume::Engine>(scsi::LogicalUnit&, store::BlockStore&)> make_engine;
  bool write_cache = true;
  bool thin = true;
  bool read_only = false;
};

/// All that an attachment needs of the world; its functions may be called by several threads at once.
struct Surroundings {
  lio::ConfigTree& tree;
  /// What the UIO device of that number is called now; none: there is none.
  std::function<std::optional<UioName>(u32 minor)> name_of;
  std::function<std::unique_ptr<volume::Doorbell>(const std::string& uio_name)> open_doorbell;
  std::function<Opened(const Backstore& backstore)> open_store;
  std::function<void(const Notice& notice, int status)> answer;
  std::function<void(const std::string& sentence)> report;
};

/// One backstore that somebody else has made, from the notice of it, or from when it was found, until the
/// notice of its removal. All that may wait happens in a thread of its own: a store that hangs delays no
/// other backstore.
///
/// The backstore is ours from the start, and its store open, so that whoever makes it learns of a failure;
/// but only the first command begins the service, for what the disk is called is set after it is made
/// (targetcli writes the unit serial number last), and fixed once it is exported.
///
/// What cannot be served is tried again as long as it is there. A backstore that was there before is never
/// made longer: what is missing of it may have been cut off, and is not to be read as zeros.
class Attachment {
 public:
  /// `added`: what is to be answered.
  Attachment(const Surroundings& surroundings, UioDevice device, std::optional<Notice> added);
  /// Finishes what has been taken, and leaves the rest.
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  u32 minor() const noexcept { return device_.minor; }
  /// "core/user_7/NAME".
  const std::string& backstore() const noexcept { return path_; }
  void post(Notice notice);
  /// Whether it has been told of the removal, and needs no more notices.
  bool removed() const noexcept { return removed_; }
  /// Whether its thread is through.
  bool ended() const noexcept { return ended_; }
  /// What is being served, if anything is.
  std::optional<Backstore> served() const;

 private:
  struct Service;
  enum class Wake : u8 { notice, command, retry };

  void run(const std::optional<Notice>& added) noexcept;
  int attach(bool named) noexcept;
  void open();
  int added_again(const Notice& notice) noexcept;
  bool still_there();
  bool try_again() noexcept;
  Wake wait() noexcept;
  void begin() noexcept;
  void begin_if_exported() noexcept;
  void let_go() noexcept;
  void leave() noexcept;
  std::optional<Notice> next_notice();
  int handle(const Notice& notice) noexcept;
  void look_again();
  void resize(u64 size_bytes);
  void set_write_cache(bool write_cache);
  void configure(const std::string& dev_config);
  bool has_write_cache();
  void take_back(const Notice& refused) noexcept;
  void take_back(const std::string& attribute, const std::string& refused, const std::string& former);
  void flush() const noexcept;
  void grow_store(store::BlockStore& store, u64 size_bytes) const;
  static u64 size_there(const store::BlockStore& store, const Backstore& backstore);
  void report(const std::string& sentence) const noexcept;

  const Surroundings& surroundings_;
  UioDevice device_;  // the name is the thread's
  const std::string path_;
  Fd event_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> removed_ = false;
  std::atomic<bool> ended_ = false;
  mutable std::mutex mutex_;
  std::deque<Notice> notices_;          // guarded by mutex_
  std::optional<Backstore> backstore_;  // guarded by mutex_; there as long as it is served

  // Of the thread; in this order: the service goes first.
  std::unique_ptr<volume::Doorbell> doorbell_;
  Opened opened_;
  bool is_new_;                      // has not been served yet
  u64 said_size_ = 0;                // the attribute dev_size, as it was seen or told last
  std::optional<bool> write_cache_;  // as it was told last; the kernel's attribute follows
  std::string trouble_;              // what was said last of why it is not served
  std::chrono::milliseconds retry_after_;
  std::unique_ptr<Service> service_;
  std::thread thread_;
};

}  // namespace tcmufs::attach
