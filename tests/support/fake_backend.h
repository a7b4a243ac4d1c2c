#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ctlfs/backend.h"
#include "sys/fd.h"

namespace tcmufs::testing {

class FakeVolume;

/// The contract of ctlfs::Backend over memory. Every call is recorded as "VERB PATH", some with an argument
/// ("resize db0 4096", "attach db0 4096": its size then, "set db0/block_size 4096"); any can be told to fail
/// or to block. All members may be called from any thread.
class FakeBackend : public ctlfs::Backend {
 public:
  FakeBackend();
  ~FakeBackend() override;

  /// Makes what exists before a tree is constructed.
  std::shared_ptr<FakeVolume> have_volume(const std::string& path, const std::string& contents = {});
  void have_directory(const std::string& path);

  /// From now on `call` ("attach db0") throws Failure with `error`; 0: no longer.
  void fail(const std::string& call, int error);
  /// From now on `call` waits for release_calls().
  void block(const std::string& call);
  void release_calls();
  /// Returns when a blocked call is waiting (true), or after 10 s (false).
  bool wait_for_blocked();
  /// Returns when `call` has been recorded (true), or after 10 s (false).
  bool wait_for(const std::string& call);

  /// The recorded calls that begin with `prefix`.
  std::vector<std::string> calls(const std::string& prefix = {}) const;
  void forget_calls();
  std::vector<std::string> refusals() const;
  std::shared_ptr<FakeVolume> volume(const std::string& path) const;

  /// For FakeVolume: `call` is looked up in what is to fail or block, call + argument recorded.
  void called(const std::string& call, const std::string& argument = {});

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
  void refused(const std::string& sentence) noexcept override;
  EventRing& events() noexcept override { return events_; }
  /// A line "SUBJECT WORD" for the volume of that path, or for none ("-").
  void happened(const std::string& subject, const std::string& word);

 private:
  void must_exist(const std::string& path) const;

  EventRing events_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<FakeVolume>> volumes_;
  std::map<std::string, ctlfs::Attributes> directories_;  // "" is the root
  std::vector<std::string> calls_;
  std::vector<std::string> refusals_;
  std::map<std::string, std::string> values_;  // written to control files
  std::map<std::string, int> failing_;
  std::set<std::string> blocking_;
  unsigned blocked_ = 0;
};

/// A file in memory that becomes a "disk": once attached, it refuses writes with EBUSY, as a real one does.
class FakeVolume : public ctlfs::Volume {
 public:
  FakeVolume(FakeBackend& backend, std::string path, const ctlfs::Creation& creation,
             std::string link_target = {});

  bool attached() const;
  std::string contents();
  std::string path() const;
  void moved(const std::string& path);
  /// The most bytes a single write() came with.
  std::size_t largest_write() const;

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

 private:
  void must_be_a_file() const;
  u64 size() const;

  FakeBackend& backend_;
  Fd memory_;
  const std::string link_target_;
  const std::shared_ptr<EventRing::Topic> topic_ = EventRing::new_topic();
  mutable std::mutex mutex_;  // guards all below
  std::string path_;
  std::map<std::string, std::string> values_;  // written to control files
  ctlfs::Attributes attributes_;
  bool attached_ = false;
  std::size_t largest_write_ = 0;
};

}  // namespace tcmufs::testing
