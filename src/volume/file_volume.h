#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include "ctlfs/backend.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "volume/catalog.h"
#include "volume/disk.h"
#include "volume/event_log.h"
#include "volume/facts.h"
#include "volume/metrics.h"
#include "volume/record.h"
#include "volume/statistics.h"
#include "volume/verbs.h"
#include "volume/workers.h"

namespace tcmufs::volume {

class FileVolume;

/// What all volumes of a store share.
struct Context {
  Catalog& catalog;
  Workers& workers;
  DiskMaker make_disk;
  /// Who uses a disk besides processes that merely have it open; for status.
  std::function<std::vector<lio::Holder>(const lio::ScsiDisk&)> holders_of;
  /// Whether the kernel has a disk of that volume.
  std::function<bool(const Uuid&)> left_in_kernel = [](const Uuid&) { return false; };
  /// Throws Failure if `of` must not have that file or device for its image: it is that of another volume, or
  /// lies in the store.
  std::function<void(const Fd& file, const FileVolume& of)> refuse_medium = [](const Fd&, const FileVolume&) {
  };
  std::string link_root = "/dev/tcmufs";
  bool read_only = false;  // every disk is write-protected
  /// Within that a disk must have come up; a transition as a whole may take `transition_limit`.
  std::chrono::seconds ready_limit{100};
  std::chrono::seconds transition_limit{120};
  /// Wants a line for the log.
  std::function<void(const std::string&)> log = [](const std::string&) {};
  /// Wants the sentence of every refusal.
  std::function<void(const std::string&)> refused = [](const std::string&) {};
  EventLog& events;
};

/// A volume over an image in the store: a file as long as it has no disk, a disk as long as it has one. Or
/// over what a link in the store leads to (`record.target`): that is never a file to the tree.
///
/// Lock order: transition_, image_guard_, mutex_.
class FileVolume final : public ctlfs::Volume, public std::enable_shared_from_this<FileVolume> {
 public:
  /// `target` says which target the disks of this volume's directory share. `maker` is the process that has
  /// created it, or 0.
  /// Of a link, `image` is what it leads to, or no_image().
  FileVolume(Context& context, std::string path, const Record& record, Fd image, std::string target,
             pid_t maker);
  /// A volume that cannot be used: its record is broken. Everything but status is refused with the sentence.
  FileVolume(Context& context, std::string path, Fd image, std::string problem);
  ~FileVolume() override { disk_.reset(); }

  ctlfs::Attributes attributes() override;
  void change(const ctlfs::AttributeChange& change) override;
  void resize(u64 size_bytes, pid_t process) override;
  std::size_t read(u64 offset, std::span<std::byte> buffer) override;
  void write(u64 offset, std::span<const std::byte> bytes, pid_t process) override;
  void allocate(int mode, u64 offset, u64 length, pid_t process) override;
  void sync() override;
  u64 seek(u64 offset, int whence) override;
  u64 copy_from(ctlfs::Volume& source, u64 source_offset, u64 offset, u64 length, pid_t process) override;
  void attach() override;
  void attach_later() noexcept override;
  std::string control(const std::string& file) override;
  void set_control(const std::string& file, const std::string& value) override;
  std::shared_ptr<EventRing::Topic> topic() const override { return topic_; }
  std::string link_target() const override { return link_target_; }

  /// What is written to its file `ctl`. Throws Failure.
  void command(const std::string& text);
  void carry_out(Verb verb);

  /// Tears the disk down if nobody uses it, and refuses everything that needs one from now on. Throws Failure
  /// (EBUSY).
  void retire();
  /// Takes retire() back: the volume could not be removed.
  void stay();
  /// Tears the disk down, used or not, after writing out what can be written. Returns when it is done; the
  /// caller bounds it.
  void take_down();
  /// The volume gets a new path: its link moves, then `rename` is called, which renames the image. Throws
  /// Failure, and then nothing has changed.
  void move(const std::string& path, const std::string& target, const std::function<void()>& rename);

  /// What the image of a link is while it is not open.
  static Fd no_image();
  /// The link itself, for its attributes; before anybody asks for those.
  void linked(Fd link);
  /// What a link leads to is not kept open any longer; while it is no disk.
  void close_target() noexcept;
  /// The link has not come to be: whatever is still under way keeps nothing in the store.
  void give_up() noexcept { wanted_ = false; }
  /// Whether that is the image. Of a link only while it is open. Never blocks.
  bool is_over(const struct stat& file) const;

  /// It is no longer in the store: the last thing that happens to it.
  void removed() noexcept;

  Facts facts() const;
  VolumeMetrics metrics() const;
  /// Looks who uses the disk (mounts, swap, stacked devices), for status. True if anybody does.
  bool look_for_holders();

 private:
  bool is_file() const;
  std::shared_lock<std::shared_mutex> as_file(pid_t process, const std::string& operation);
  void refuse(int error, const std::string& sentence, const std::string& advice = {});
  std::optional<Failure> misfit(u64 size_bytes) const;
  void refuse_misfit(u64 size_bytes);
  void follow_image() noexcept;
  void remember(const std::string& sentence) noexcept;
  void set_state(State state);
  void begin(State state);
  void attach_now();
  void remember_lun();
  Fd open_for_disk() const;
  std::unique_ptr<Disk> make_disk(u64 size_bytes);  // from the image
  void flush_or_refuse(const Fd& claim);
  void detach_now();
  void drop_disk();
  void change_setting(const std::string& name, const std::string& value);
  void tune(const Settings& settings);
  void keep_settings(const Settings& settings);
  void keep(const Record& record);
  void end_draft();
  void take_disk_away();
  void make_anew(const std::string& what, const std::function<void()>& change,
                 const std::function<void()>& change_back);
  void change_mode(mode_t wanted);
  void change_owner(const ctlfs::AttributeChange& change);
  void change_times(const ctlfs::AttributeChange& change);
  lio::FileOwner owner() const;
  void set_owner(uid_t uid, gid_t gid);
  void set_mode(mode_t mode);
  void give_nodes();
  bool write_protected_with(mode_t mode) const;
  bool is_link() const noexcept { return !link_target_.empty(); }
  void put_image(const Fd& file);
  void open_target();
  void open_replaced_image();
  std::string shown_image() const;
  void know_image();
  ctlfs::Attributes link_attributes() const;
  void change_link(const ctlfs::AttributeChange& change);
  void follow_target();
  void resize_link(u64 size_bytes);
  void resize_linked(u64 size_bytes, const std::string& what);
  void resize_disk(u64 size_bytes);
  void resize_image(u64 size_bytes, pid_t process);
  void become_file(pid_t process, const std::string& operation);
  template <typename Work>
  void transition(const std::string& what, Work work);
  void disk_failed(const std::string& sentence);
  void let_go_if_gone(const std::string& sentence);
  void room_changed(SpaceWait::Change change);
  // mutex_ locked.
  void record(const std::string& word, const std::string& detail = {}) noexcept;
  void enter(State state) noexcept;

  Context& context_;
  const Fd image_;
  const std::string link_target_;  // empty: it is no link
  Fd link_;
  const std::shared_ptr<EventRing::Topic> topic_ = EventRing::new_topic();
  Statistics statistics_;            // of all disks it has been; the disk writes them
  std::mutex transition_;            // held from beginning to end of attach, detach, resize, move
  std::unique_ptr<Disk> disk_;       // guarded by transition_
  Record record_;                    // guarded by transition_
  std::string target_;               // guarded by transition_
  bool retired_ = false;             // guarded by transition_
  bool told_of_loss_ = false;        // guarded by transition_: the disk cannot be flushed, and somebody knows
  std::atomic<bool> wanted_ = true;  // false: it has been retired, or is to be
  std::shared_mutex image_guard_;    // shared: file I/O; exclusive: the moment when the file stops being one
  mutable std::mutex mutex_;         // guards what follows; nothing that blocks is done under it
  Facts facts_;
  struct stat medium_ {};  // of the image that is open: which file or device it is
  lio::ScsiDisk device_;
  std::string problem_;
  pid_t maker_ = 0;
  std::string no_room_;    // while writes wait for room: what to do, in words
  bool stranded_ = false;  // the kernel has a disk of it that could not be taken over
};

}  // namespace tcmufs::volume
