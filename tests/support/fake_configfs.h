#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lio/config_tree.h"
#include "sys/integers.h"

namespace tcmufs::test {

/// LIO's configfs in memory: names, attributes, refusals and errno values are those of Linux 6.1 with
/// target_core_user and tcm_loop. Any thread may call.
class FakeConfigfs final : public lio::ConfigTree {
 public:
  using Hook = std::function<void(const std::string& path)>;

  /// With the directory "loopback" already there.
  FakeConfigfs();

  bool exists(const std::string& path) override;
  std::vector<std::string> list(const std::string& path) override;
  void make_directory(const std::string& path) override;
  void remove_directory(const std::string& path) override;
  std::string read(const std::string& path) override;
  void write(const std::string& path, const std::string& value) override;
  void link(const std::string& target, const std::string& path) override;
  void unlink(const std::string& path) override;
  std::optional<std::string> link_target(const std::string& path) override;
  void cleanup_failed(const std::string& sentence) noexcept override;

  /// The operation number `step` from now (0: the next; exists() and link_target() do not count) fails, once.
  void fail_at(std::size_t step, int error);
  /// Every operation whose text ("rmdir core/user_7") begins with `prefix` fails.
  void fail_on(const std::string& prefix, int error);
  /// The process is killed at operation number `step`: that one fails, and none after it changes anything, as
  /// if nobody made them, until revive().
  void kill_at(std::size_t step);
  /// Operation number `step` does not return until revive(); others do.
  void hang_at(std::size_t step);
  /// True if the step of fail_at, kill_at or hang_at has been reached.
  bool struck() const;
  /// Ends every kind of failing.
  void revive();

  /// Nobody serves the rings: unlink of a LUN waits until action/reset_ring of its device is written.
  void serve_rings(bool served);
  /// The directory "loopback" is being made by somebody else: it is there, but nothing in it, for so many
  /// looks.
  void make_fabric_slowly(int looks);
  /// Scans find nothing from now on: the kernel's count of LUNs stays up for those linked.
  void miss_scans(bool missed);

  /// Somebody listens to what the kernel tells of TCMU devices (netlink): their attributes can be changed.
  void listen();

  /// Called, without a lock, inside the operations; unset ones do nothing.
  Hook on_enable;  // path of the device
  Hook on_link;    // path of the link, once it is there
  Hook on_unlink;  // path of the link, before it goes

  /// "mkdir core/user_7", "write core/user_7/a/enable 1", "link TARGET PATH", "unlink PATH", "read PATH",
  /// "list PATH".
  std::vector<std::string> operations() const;
  std::vector<std::string> cleanup_failures() const;
  /// Every path with its value, as it stands. In a device's directory "pr" res_aptpl_metadata shows the
  /// registrations that wait for their nexus, res_pr_registered_i_pts those that are in force, a line each:
  /// "INITIATOR -> TARGET,TPGT LUN key K" and, of the holder, " holds type T".
  std::map<std::string, std::string> snapshot() const;

 private:
  struct Node {
    enum class Kind { group, attribute, link };
    Kind kind = Kind::group;
    bool made = false;  // by mkdir or symlink, not with its parent
    std::string value;
  };
  using Names = std::vector<std::string>;
  struct Registration {
    std::string nexus;  // what the kernel finds it by
    std::string shown;
    std::string link;  // of the LUN through which it is in force, or empty: it waits for its nexus
  };

  // All of these with mutex_ held.
  void enter(const std::string& operation);
  [[noreturn]] void fail(int error, const std::string& operation) const;
  Node* find(const std::string& path);
  Names children(const std::string& path) const;
  bool has_made(const std::string& path) const;
  bool is_exported(const std::string& device) const;
  int refusal_of_mkdir(const Names& parts) const;
  int refusal_of_rmdir(const std::string& path);
  int refusal_of_link(const std::string& target, const std::string& path);
  int refusal_of_write(const std::string& path, const std::string& value);
  int write_control(const std::string& device, const std::string& text);
  int write_attribute(const std::string& device, const std::string& name, const std::string& value);
  int write_nexus(const std::string& tpgt, const std::string& value);
  int write_registration(const std::string& device, const std::string& text);
  void enable_registrations(const std::string& device, const std::string& link);
  void free_registrations(const std::string& device, const std::string& link);
  void show_registrations(const std::string& device);
  void exports_changed(const std::string& device);
  void add_groups(const std::string& parent, const Names& names);
  void add_attributes(const std::string& parent, const std::map<std::string, std::string>& values);
  void fill(const std::string& path, const Names& parts);

  mutable std::mutex mutex_;
  int unready_looks_ = 0;  // guarded by mutex_
  std::condition_variable reset_;
  std::condition_variable_any revived_;
  std::map<std::string, Node> nodes_;       // guarded by mutex_, as all below
  std::map<std::string, int> missed_luns_;  // by tpgt
  bool listened_ = false;
  std::map<std::string, u64> resets_;                               // by device
  std::map<std::string, std::vector<Registration>> registrations_;  // by device
  std::map<std::string, int> failing_;                              // prefix of operation -> errno
  std::vector<std::string> operations_;
  std::vector<std::string> cleanup_failures_;
  std::size_t step_ = 0;
  std::optional<std::size_t> strike_at_;
  int strike_error_ = 0;  // 0: it hangs
  bool strike_kills_ = false;
  bool struck_ = false;
  bool dead_ = false;
  bool served_ = true;
  bool miss_scans_ = false;
  int next_host_ = 0;
};

}  // namespace tcmufs::test
