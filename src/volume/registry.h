#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ctlfs/backend.h"
#include "volume/defaults.h"
#include "volume/event_log.h"
#include "volume/file_volume.h"
#include "volume/verbs.h"

namespace tcmufs::volume {

/// The volumes and directories of one store, by path: what the tree works on. All members may be called from
/// any thread.
class Registry final : public ctlfs::Backend {
 public:
  struct Options {
    std::string mount_point;
    std::string version;
    std::string link_root = "/dev/tcmufs";
    bool read_only = false;
    SettingValues defaults;  // of this mount, for new volumes: "block_size", "4096"
    /// Whether a volume of that path becomes a disk without being asked to: the tree knows.
    std::function<bool(const std::string& path)> attaches_by_itself = [](const std::string&) { return true; };
    std::function<void(const std::string&)> log = [](const std::string&) {};
  };

  /// What the registry needs of the kernel; tests bring their own.
  struct Kernel {
    DiskMaker make_disk;
    std::function<std::vector<lio::Holder>(const lio::ScsiDisk&)> holders_of;
    /// What is left of disks of this store, by the uuid of their volumes, and how to remove one of them.
    std::function<std::vector<Uuid>()> leftovers;
    std::function<void(const Uuid&)> remove_leftover;
    /// Removes what the kernel keeps of a volume that will never be again. Throws Failure.
    std::function<void(const Uuid&)> forget = [](const Uuid&) {};
    /// The file .ctl/doctor, about the machine and that store.
    std::function<std::string(const std::string& store)> doctor = [](const std::string&) { return ""; };
  };

  /// Loads the store; no disk is there yet.
  Registry(Kernel kernel, Catalog& catalog, const Options& options);
  /// Waits for what is still under way. Nobody may have a volume of it any more.
  ~Registry() override;

  /// Attaches every volume that has a size, several at once, and returns when all have been tried. What
  /// failed is logged, and is the volume's last_error.
  void bring_up();
  /// No volume is made any more, and .ctl/events says so, once.
  void stopping() noexcept;
  /// stopping(), and tears every disk down, several at once, used or not. False if something is
  /// still under way when the deadline has passed.
  bool take_down(const Deadline& deadline);
  /// Looks who uses the disks, for status; true if any disk is used.
  bool look_for_holders();

  std::vector<Entry> entries() override;
  std::shared_ptr<ctlfs::Volume> create(const std::string& path, const ctlfs::Creation& creation) override;
  std::shared_ptr<ctlfs::Volume> attach_in_place(const std::string& path, const std::string& target) override;
  void make_directory(const std::string& path, const ctlfs::Creation& creation) override;
  void remove(const std::string& path) override;
  void remove_directory(const std::string& path) override;
  void rename(const std::string& from, const std::string& to) override;
  ctlfs::Attributes directory_attributes(const std::string& path) override;
  void change_directory(const std::string& path, const ctlfs::AttributeChange& change) override;
  struct statvfs space() override;
  std::string status_table(const std::string& directory) override;
  std::string control(const std::string& file) override;
  void set_control(const std::string& file, const std::string& value) override;
  EventRing& events() noexcept override { return events_.ring(); }
  void refused(const std::string& sentence) noexcept override;

 private:
  using Volumes = std::vector<std::shared_ptr<FileVolume>>;

  void load();
  Fd open_unused(const std::string& target) const;
  void refuse_medium(const Fd& file, const std::string& target, const FileVolume* of) const;
  void refuse_own_image(const struct stat& file, const std::string& target, const FileVolume* of) const;
  std::shared_ptr<FileVolume> new_link(const std::string& path, const std::string& target, Fd file);
  void undo_link(const std::shared_ptr<FileVolume>& volume) noexcept;
  std::shared_ptr<FileVolume> loaded(const Catalog::Entry& entry);
  Settings settings_of_new_volumes();
  /// What fails becomes last_error.
  template <typename Work>
  auto telling(Work work);
  void for_all(Volumes volumes, std::function<void(FileVolume&)> work);
  void carry_out(Verb verb);
  bool comes_up(const Facts& facts, const std::vector<Uuid>& left) const;
  void settle_leftovers(const std::vector<Uuid>& left);
  std::shared_ptr<FileVolume> volume_at(const std::string& path) const;
  Volumes all_volumes() const;
  std::vector<Facts> all_facts() const;
  Service service() const;
  std::string target_for(const std::string& path, const Uuid& uuid) const;
  void keep_last_error(const std::string& sentence) noexcept;
  void refuse_while_stopping() const;
  void forget(const Uuid& uuid) noexcept;
  void rename_volume(const std::string& from, const std::string& to);
  void rename_directory(const std::string& from, const std::string& to);

  Kernel kernel_;
  Catalog& catalog_;
  Options options_;
  Defaults defaults_;
  const std::string features_;
  EventLog events_;
  Workers workers_;
  Context context_;
  mutable std::mutex mutex_;  // guards what follows; nothing that blocks is done under it
  std::map<std::string, std::shared_ptr<FileVolume>> volumes_;
  std::map<std::string, Uuid> directories_;  // path → identity
  bool stopping_ = false;
  bool all_known_ = true;  // of every image in the store the identity is known
  std::string last_error_;
};

}  // namespace tcmufs::volume
